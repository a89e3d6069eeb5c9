//! Medians and bounds.

/// The median.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The two values between which the true median lies, with 95 % confidence: those whose ranks a fair coin thrown for
/// each value seldom leaves (the sign test).
pub fn interval(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let away = 1.96 * count.sqrt() / 2.0;
    let rank = |rank: f64| values[(rank.max(0.0) as usize).min(values.len() - 1)];
    (rank((count / 2.0 - away).floor()), rank((count / 2.0 + away).ceil()))
}

/// The first quartile, the median and the third quartile.
pub fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
}

/// Prints whether a bound holds.
pub fn bound(what: &str, ratio: f64, holds: bool) -> bool {
    println!("  {} {what}: {ratio:.2}", if holds { "holds:" } else { "DOES NOT HOLD:" });
    holds
}
