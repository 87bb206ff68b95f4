//! A codec says what it is, and what it cannot be.
use super::*;

#[test]
fn the_calendar_is_that_of_the_clock_on_the_wall() {
    let hourly = ForecastCodec {
        frequency: "h".parse().unwrap(),
        calendar: 6,
        ..codec(DIRECT, Output::Quantile)
    };
    let spring = "2024-03-31T02:00".parse().unwrap();
    let moved =
        ForecastCodec { wall_clock: WallClock { changes: vec![(spring, 3600)] }, ..hourly.clone() };
    let of = |codec: &ForecastCodec, start: &str| {
        let start = Stamp::Time(start.parse().unwrap());
        let prepared = codec.prepare(&Series { start, ..series("a", 8) }).unwrap();
        let frame = codec.frame(&prepared, 4).unwrap();
        let windows = codec.windows(&[(&prepared, &frame)], false);
        [windows.steps, windows.decode].concat()
    };
    // Of segments of two steps, the first of each counts.
    let (before, after) = (of(&moved, "2024-03-31T00:00"), of(&hourly, "2024-03-31T00:00"));
    assert_ne!(before, after);
    let size = before.len() / 4;
    assert_eq!(before[..size], after[..size], "before clocks go forward");
    assert_eq!(before[size..], of(&hourly, "2024-03-31T01:00")[size..], "and after it");
    assert_eq!(of(&moved, "2024-03-30T00:00"), of(&hourly, "2024-03-30T00:00"));
    // A model file keeps the clock; those of before have none.
    let json = serde_json::to_value(&moved).unwrap();
    assert_eq!(json["wall_clock"], serde_json::json!([["2024-03-31T02:00:00", 3600]]));
    assert_eq!(serde_json::from_value::<ForecastCodec>(json).unwrap(), moved);
    let json = serde_json::to_value(&hourly).unwrap();
    assert!(json.get("wall_clock").is_none());
    assert_eq!(serde_json::from_value::<ForecastCodec>(json).unwrap(), hourly);
}

#[test]
fn a_codec_that_contradicts_itself_or_its_network_is_refused() {
    let good = forecaster(codec(DIRECT, Output::Quantile), Cell::Gru);
    let spec = |codec: &ForecastCodec| {
        let mut spec = Spec {
            input: Input::Features { size: codec.input_size() },
            rnn: RnnSpec {
                cell: Cell::Gru,
                input_size: codec.input_size(),
                hidden_size: 2,
                num_layers: 1,
                bidirectional: false,
                bias: true,
                zoneout: 0.0,
                layer_norm: false,
            },
            pool: None,
            decoder: None,
            head: Head::Linear { outputs: codec.outputs() },
        };
        spec.rnn.input_size = codec.input_size();
        spec
    };
    let refused = |change: &dyn Fn(&mut ForecastCodec, &mut Spec)| {
        let mut codec = good.codec().clone();
        let mut spec = spec(&codec);
        change(&mut codec, &mut spec);
        match gruvy_runtime::Codec::Forecast(Box::new(codec)).fits(&spec) {
            Err(Error::Spec { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&|c, _| c.horizon = 0), "codec.horizon");
    assert_eq!(refused(&|c, _| c.context = usize::MAX), "codec.context");
    assert_eq!(refused(&|c, _| c.season = 0), "codec.season");
    assert_eq!(refused(&|c, _| c.context = 5), "codec.decoder.segment");
    assert_eq!(
        refused(&|c, _| c.decoder = Decoder::Direct { segment: 0 }),
        "codec.decoder.segment"
    );
    assert_eq!(refused(&|c, _| c.levels = vec![0.5, 0.5, 0.9]), "codec.levels");
    assert_eq!(refused(&|c, _| c.calendar = 2), "codec.calendar");
    assert_eq!(refused(&|c, _| c.covariates.clear()), "codec.covariates");
    assert_eq!(refused(&|_, s| s.input = Input::Features { size: 3 }), "input");
    assert_eq!(refused(&|_, s| s.head = Head::Linear { outputs: 5 }), "head.linear.outputs");
    assert_eq!(refused(&|_, s| s.rnn.bidirectional = true), "rnn.bidirectional");
    assert_eq!(refused(&|c, _| c.output = Output::NegativeBinomial), "codec.difference");
}

#[test]
fn a_codec_comes_back_from_json_as_it_was() {
    for forecaster in all_kinds() {
        let json = serde_json::to_string(forecaster.codec()).unwrap();
        let back: ForecastCodec = serde_json::from_str(&json).unwrap();
        assert_eq!(&back, forecaster.codec());
    }
}
