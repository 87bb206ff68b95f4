//! What was found in the data of a model holds for later tables.
use crate::{is, noted, refused};
use gruvy_data::series::{SeriesFormat, read_panel, read_series};
use gruvy_data::{Input, from_source, to_source};
use gruvy_runtime::series::Panel;

/// How a model reads that was trained on this table.
fn trained(csv: &str) -> SeriesFormat {
    let input = Input::bytes("trained.csv", csv.as_bytes());
    let (panel, found) = read_series(&[input], &SeriesFormat::default()).unwrap();
    let freq = Some(panel.frequency);
    let format = SeriesFormat { freq, found: Some(found), ..SeriesFormat::default() };
    // By way of a model file.
    let kept: SeriesFormat = from_source(&to_source(&format));
    assert_eq!(kept, format);
    kept
}

fn later(csv: &str, format: &SeriesFormat) -> Result<Panel, String> {
    let input = Input::bytes("later.csv", csv.as_bytes());
    read_panel(&[input], format).map_err(|error| error.to_string())
}

const DAYS: &str = "tag,umsatz\n2020-01-01,5\n2020-01-02,6\n2020-01-03,8\n";

#[test]
fn one_more_column_is_left_out_and_said() {
    let format = trained(DAYS);
    let panel = later("tag,umsatz,kunden\n2020-01-04,5,1\n2020-01-05,6,2\n", &format).unwrap();
    assert_eq!(panel.series.len(), 1);
    is(&panel.series[0], "umsatz", "2020-01-04", &[5.0, 6.0]);
    noted(&panel, &["left out", "the model was trained without", "`kunden`"]);
    let panel = later("y,tag,umsatz\n9,2020-01-04,5\n", &format).unwrap();
    is(&panel.series[0], "umsatz", "2020-01-04", &[5.0]);
    // Of several shops each is a series still.
    let shops = "unique_id,tag,umsatz\na,2020-01-04,5\na,2020-01-05,5\nb,2020-01-04,6\n";
    assert_eq!(later(shops, &format).unwrap().series.len(), 2);
}

#[test]
fn a_column_that_is_missing_is_named() {
    let format = trained(DAYS);
    refused(
        later("tag,sold\n2020-01-04,5\n", &format),
        "later.csv",
        &["no column `umsatz`, which the model was trained with", "setting `target`"],
    );
    refused(
        later("day,umsatz\n2020-01-04,5\n", &format),
        "later.csv",
        &["`tag`", "setting `time`"],
    );
    let asked = SeriesFormat { target: vec!["sold".into()], ..format };
    is(&later("tag,sold\n2020-01-04,5\n", &asked).unwrap().series[0], "sold", "2020-01-04", &[5.0]);
    let wide = trained("date,a,b\n2020-01-01,1,2\n2020-01-02,1,3\n2020-01-03,1,4\n");
    let panel = later("date,b,c\n2020-01-04,1,2\n", &wide).unwrap();
    assert_eq!(panel.series.len(), 1);
    noted(&panel, &["missing", "`a`"]);
    noted(&panel, &["left out", "`c`"]);
}

#[test]
fn the_order_of_day_and_month_is_that_of_the_training() {
    let format = trained("Date,y\n11/02/2020,1\n12/02/2020,2\n13/02/2020,3\n");
    let panel = later("Date,y\n01/03/2020,1\n02/03/2020,2\n", &format).unwrap();
    is(&panel.series[0], "y", "2020-03-01", &[1.0, 2.0]);
    let format = trained("Date,y\n02/11/2020,1\n02/12/2020,2\n02/13/2020,3\n");
    let panel = later("Date,y\n03/01/2020,1\n03/02/2020,2\n", &format).unwrap();
    is(&panel.series[0], "y", "2020-03-01", &[1.0, 2.0]);
    // What a later table shows clearly holds for it.
    let panel = later("Date,y\n30/03/2020,1\n31/03/2020,2\n", &format).unwrap();
    is(&panel.series[0], "y", "2020-03-30", &[1.0, 2.0]);
}

#[test]
fn series_per_row_stay_so() {
    let rows =
        "id,item,d_1,d_2,d_3,d_4,d_5,d_6,d_7,d_8\na_x,a,1,2,3,4,5,6,7,8\nb_x,b,1,2,3,4,5,6,7,9\n";
    let format = trained(rows);
    let panel = later(rows, &format).unwrap();
    is(&panel.series[1], "b_x", "0", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0]);
    noted(&panel, &["a series per row", "`id`"]);
    noted(&panel, &["left out", "`item`"]);
}
