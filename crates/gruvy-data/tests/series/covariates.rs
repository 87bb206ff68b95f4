//! Statics, past and future covariates, and what is known ahead.
use crate::{format, is, names, noted, read, read_files, refused, same};
use gruvy_data::series::SeriesFormat;
use gruvy_runtime::series::Columns;

const NAN: f64 = f64::NAN;

const SHOPS: &str = "\
unique_id,ds,y,region,rain,promo
a,2020-01-01,1,north,0.5,0
a,2020-01-02,2,north,,1
a,2020-01-03,3,north,0.25,0
a,2020-01-04,,north,,1
a,2020-01-05,,north,,0
b,2020-01-02,7,,1,
b,2020-01-03,8,south,2,1
";

fn shops() -> SeriesFormat {
    format(r#"{"statics":["region"],"past":["rain"],"future":["promo"]}"#)
}

#[test]
fn covariates_stand_beside_the_values() {
    let panel = read(SHOPS, &shops()).unwrap();
    let columns =
        Columns { statics: names(&["region"]), past: names(&["rain"]), future: names(&["promo"]) };
    assert_eq!(panel.columns, columns);
    let [a, b] = &panel.series[..] else { panic!("{} series", panel.series.len()) };
    is(a, "a", "2020-01-01", &[1.0, 2.0, 3.0]);
    is(b, "b", "2020-01-02", &[7.0, 8.0]);
    assert_eq!((&a.statics, &b.statics), (&names(&["north"]), &names(&["south"])));
    same(&a.past[0], &[0.5, NAN, 0.25]);
    same(&a.future[0], &[0.0, 1.0, 0.0, 1.0, 0.0]);
    same(&b.future[0], &[NAN, 1.0]);
    assert!(!panel.notes.iter().any(|note| note.why.contains("at the ends")), "{:?}", panel.notes);
}

#[test]
fn without_future_columns_nothing_is_known_ahead() {
    let asked = format(r#"{"target":["y"],"past":["promo"]}"#);
    let panel = read(SHOPS, &asked).unwrap();
    is(&panel.series[0], "a", "2020-01-01", &[1.0, 2.0, 3.0]);
    same(&panel.series[0].past[0], &[0.0, 1.0, 0.0]);
    noted(&panel, &["missing values at the ends", "a (2)"]);
    noted(&panel, &["left out", "`region`, `rain`"]);
}

#[test]
fn what_is_known_ahead_can_come_from_another_file() {
    let files = [
        (
            "sales.csv",
            "unique_id,ds,y,promo\na,2020-01-01,1,0\na,2020-01-02,2,1\nb,2020-01-01,5,0\n",
        ),
        ("plan.csv", "promo,ds,unique_id\n1,2020-01-03,a\n0,2020-01-04,a\n1,2020-01-02,b\n"),
    ];
    let panel = read_files(&files, &format(r#"{"future":["promo"]}"#)).unwrap();
    assert_eq!(panel.series.len(), 2);
    is(&panel.series[0], "a", "2020-01-01", &[1.0, 2.0]);
    same(&panel.series[0].future[0], &[0.0, 1.0, 1.0, 0.0]);
    is(&panel.series[1], "b", "2020-01-01", &[5.0]);
    same(&panel.series[1].future[0], &[0.0, 1.0]);
}

#[test]
fn covariates_of_another_file_are_joined_by_series_and_time() {
    let files = [
        ("sales.csv", "ds,y\n2020-01-01,1\n2020-01-02,2\n2020-01-03,3\n"),
        ("rain.csv", "ds,rain\n2020-01-03,0.3\n2020-01-02,0.2\n"),
    ];
    let panel = read_files(&files, &format(r#"{"past":["rain"]}"#)).unwrap();
    assert_eq!(panel.series.len(), 1);
    is(&panel.series[0], "sales", "2020-01-01", &[1.0, 2.0, 3.0]);
    same(&panel.series[0].past[0], &[NAN, 0.2, 0.3]);
    noted(&panel, &["out of order"]);
}

#[test]
fn a_wide_table_shares_its_covariates() {
    let csv = "date,a,b,holiday\n2020-01-01,1,5,1\n2020-01-02,2,6,0\n2020-01-03,,,1\n";
    let panel = read(csv, &format(r#"{"future":["holiday"]}"#)).unwrap();
    is(&panel.series[0], "a", "2020-01-01", &[1.0, 2.0]);
    is(&panel.series[1], "b", "2020-01-01", &[5.0, 6.0]);
    for series in &panel.series {
        same(&series.future[0], &[1.0, 0.0, 1.0]);
    }
}

#[test]
fn series_may_end_at_different_times() {
    let csv =
        "date,a,b,holiday\n2020-01-01,,5,1\n2020-01-02,2,6,0\n2020-01-03,3,,1\n2020-01-04,,,0\n";
    let panel = read(csv, &format(r#"{"future":["holiday"]}"#)).unwrap();
    is(&panel.series[0], "a", "2020-01-02", &[2.0, 3.0]);
    same(&panel.series[0].future[0], &[0.0, 1.0, 0.0]);
    is(&panel.series[1], "b", "2020-01-01", &[5.0, 6.0]);
    same(&panel.series[1].future[0], &[1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn a_static_column_must_not_change() {
    let csv = SHOPS.replace("3,north", "3,west");
    refused(
        read(csv, &shops()),
        "sales.csv, line 4, series `a`",
        &["`region` changes from `north` to `west`", "past or future"],
    );
}

#[test]
fn a_covariate_must_be_a_number() {
    let csv = SHOPS.replace("0.25", "wet");
    refused(
        read(csv, &shops()),
        "sales.csv, line 4, series `a`",
        &["`rain` is `wet`", "expected a number"],
    );
}

#[test]
fn rows_of_two_files_may_agree_and_are_refused_where_they_do_not() {
    let one = ("one.csv", "unique_id,ds,y\na,2020-01-01,1\na,2020-01-02,2\n");
    let files = [one, ("two.csv", "unique_id,ds,y\na,2020-01-02,2\na,2020-01-03,3\n")];
    let panel = read_files(&files, &SeriesFormat::default()).unwrap();
    is(&panel.series[0], "a", "2020-01-01", &[1.0, 2.0, 3.0]);
    let files = [one, ("two.csv", "unique_id,ds,y\na,2020-01-02,5\na,2020-01-03,3\n")];
    refused(
        read_files(&files, &SeriesFormat::default()),
        "two.csv, line 2, series `a`",
        &["at 2020-01-02", "`y` is 5, and 2 in line 3 of ", "one.csv", "keep one", "setting `id`"],
    );
}

#[test]
fn a_column_is_one_thing_only() {
    refused(
        read(SHOPS, &format(r#"{"past":["rain"],"future":["rain"]}"#)),
        "sales.csv",
        &["`rain` is named twice"],
    );
    refused(
        read(SHOPS, &format(r#"{"target":["y"],"past":["y"]}"#)),
        "sales.csv",
        &["`y` is named twice"],
    );
}

#[test]
fn rows_have_no_covariates() {
    refused(
        read("V1,V2,V3\na,1,2\n", &format(r#"{"layout":"rows","past":["V3"]}"#)),
        "sales.csv",
        &["a series per row has no column `V3`", "setting `layout=long`"],
    );
}
