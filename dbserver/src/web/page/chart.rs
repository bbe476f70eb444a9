//! The lag of the last hour as a line.

use fwlog::Timestamp;

use crate::environment::status::Micros;
use crate::web::history::{SPAN, Sample};
use crate::web::page::figures;
use crate::web::page::html::Html;

/// The coordinates of the drawing; the page gives it its size.
const WIDTH: u64 = 600;
const HEIGHT: u64 = 100;

/// Microseconds between two samples that are joined.
const JOINED: u64 = 35_000_000;

/// Tops of the scale, in microseconds.
const SCALES: [u64; 12] = [
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    900_000_000,
    3_600_000_000,
    21_600_000_000,
    86_400_000_000,
    864_000_000_000,
];

/// A point of the drawing, in tenths of its units.
type Point = (u64, u64);

/// Draws the samples up to `now`.
pub(super) fn draw(html: &mut Html, samples: &[Sample], now: Timestamp) {
    let highest = samples
        .iter()
        .filter_map(|sample| sample.lag)
        .max_by_key(|lag| lag.0);
    let top = scale(highest.map_or(0, |lag| lag.0));
    html.raw("<figure class=\"chart\"><div class=\"plot\"><span class=\"most\">")
        .text(figures::lag(Micros(top)))
        .raw("</span><span class=\"least\">0</span><svg viewBox=\"0 0 600 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"")
        .text(summary(samples, highest))
        .raw("\"><path class=\"grid\" d=\"M0 0H600M0 50H600M0 100H600M150 0V100M300 0V100M450 0V100\"/>");
    for run in runs(samples, now, top) {
        path(html, "<path class=\"area\" d=\"", &run, true);
        path(html, "<path class=\"line\" d=\"", &run, false);
    }
    html.raw("</svg></div><figcaption><span>1 h ago</span><span>")
        .text(summary(samples, highest))
        .raw("</span><span>now</span></figcaption></figure>");
}

/// What the line shows, in words.
fn summary(samples: &[Sample], highest: Option<Micros>) -> String {
    match highest {
        _ if samples.is_empty() => "no samples yet".to_owned(),
        Some(highest) => format!("highest lag of the hour {}", figures::lag(highest)),
        None => "the lag is not known".to_owned(),
    }
}

/// The first scale that has room for it.
fn scale(highest: u64) -> u64 {
    let fits = SCALES.into_iter().find(|top| highest <= *top);
    fits.unwrap_or(highest)
}

/// What belongs together: a time of which nothing is known is a gap.
fn runs(samples: &[Sample], now: Timestamp, top: u64) -> Vec<Vec<Point>> {
    let span = u64::try_from(SPAN.as_micros()).unwrap_or(u64::MAX);
    let begin = now.micros().saturating_sub(span);
    let mut runs: Vec<Vec<Point>> = Vec::new();
    let mut before: Option<Timestamp> = None;
    for sample in samples {
        let Some(lag) = sample.lag else {
            before = None;
            continue;
        };
        let into = sample.time.micros().saturating_sub(begin).min(span);
        let x = part(WIDTH, into, span);
        let y = HEIGHT * 10 - part(HEIGHT, lag.0.min(top), top);
        let joined = before.is_some_and(|at| sample.time.micros() - at.micros() <= JOINED);
        match runs.last_mut() {
            Some(run) if joined => run.push((x, y)),
            _ => runs.push(vec![(x, y)]),
        }
        before = Some(sample.time);
    }
    runs
}

/// Tenths of a length that are so much of the whole.
fn part(length: u64, of: u64, whole: u64) -> u64 {
    let tenths = u128::from(of) * u128::from(length * 10) / u128::from(whole.max(1));
    u64::try_from(tenths).unwrap_or(u64::MAX)
}

/// A run as a path; `closed`: with the space under it.
fn path(html: &mut Html, begin: &'static str, run: &[Point], closed: bool) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return;
    };
    html.raw(begin);
    for (index, point) in run.iter().enumerate() {
        html.raw(if index == 0 { "M" } else { "L" });
        coordinate(html, point.0).raw(" ");
        coordinate(html, point.1);
    }
    if closed {
        html.raw("L");
        coordinate(html, last.0).raw(" 100L");
        coordinate(html, first.0).raw(" 100Z");
    } else if run.len() == 1 {
        // A point has no length, and would not be seen.
        html.raw("h0.1");
    }
    html.raw("\"/>");
}

fn coordinate(html: &mut Html, tenths: u64) -> &mut Html {
    html.text(format_args!("{}.{}", tenths / 10, tenths % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(second: u64, lag: Option<u64>) -> Sample {
        Sample {
            time: Timestamp::from_micros(second * 1_000_000),
            lag: lag.map(Micros),
        }
    }

    fn drawn(samples: &[Sample], second: u64) -> String {
        let mut html = Html::default();
        draw(
            &mut html,
            samples,
            Timestamp::from_micros(second * 1_000_000),
        );
        html.into_text()
    }

    #[test]
    fn the_hour_is_the_width_and_the_scale_is_the_height() {
        let samples = [sample(1_800, Some(0)), sample(1_810, Some(1_500_000))];
        let html = drawn(&samples, 3_600);
        assert!(
            html.contains("class=\"line\" d=\"M300.0 100.0L301.6 25.0\""),
            "{html}"
        );
        assert!(html.contains("<span class=\"most\">2 s</span>"), "{html}");
        assert!(html.contains("highest lag of the hour 1.5 s"), "{html}");
    }

    #[test]
    fn what_is_not_known_is_a_gap() {
        let samples = [
            sample(10, Some(1)),
            sample(20, Some(1)),
            sample(30, None),
            sample(40, Some(1)),
            sample(200, Some(1)),
        ];
        assert_eq!(drawn(&samples, 300).matches("class=\"line\"").count(), 3);
        assert!(drawn(&[], 300).contains("no samples yet"));
        assert!(drawn(&[sample(1, None)], 300).contains("the lag is not known"));
    }

    #[test]
    fn no_lag_leaves_the_drawing() {
        let html = drawn(&[sample(3_600, Some(u64::MAX))], 3_600);
        assert!(html.contains("M600.0 0.0h0.1"), "{html}");
    }
}
