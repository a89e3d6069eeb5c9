//! Who is first, as far as the noise lets it be known.

use crate::rows::Time;

/// A row of a chart.
#[derive(Debug, Clone)]
pub struct Bar {
    pub label: String,
    pub value: f64,
    /// The first and the third quartile.
    pub spread: [f64; 2],
    /// The first quartile, the median and the third quartile of what is compared: for times the ratio to the limit in
    /// the same round, which the load of the machine affects least.
    pub compared: [f64; 3],
}

impl Bar {
    pub fn exact(label: &str, value: u64) -> Self {
        let value = value as f64;
        Self { label: label.to_owned(), value, spread: [value; 2], compared: [value; 3] }
    }

    pub fn of_time(row: &Time) -> Self {
        Self {
            label: row.peer.clone(),
            value: row.ns,
            spread: [row.ns_q1, row.ns_q3],
            compared: [row.ratio_q1, row.ratio, row.ratio_q3],
        }
    }
}

/// Sorts rows, and gives each its rank. A row shares the rank of another one if it is within its noise, which is if
/// their quartiles overlap. Otherwise its rank is one more than the number of rows before it.
pub fn ranked(mut rows: Vec<Bar>) -> Vec<(usize, Bar)> {
    rows.sort_by(|a, b| a.compared[1].total_cmp(&b.compared[1]));
    let mut ranked: Vec<(usize, Bar)> = Vec::with_capacity(rows.len());
    for row in rows {
        // The first row of the last rank, so that a chain of small differences is no tie.
        let last = ranked.last().map(|(rank, _)| *rank);
        let tied = last.filter(|rank| row.compared[0] <= ranked[rank - 1].1.compared[2]);
        ranked.push((tied.unwrap_or(ranked.len() + 1), row));
    }
    ranked
}

#[cfg(test)]
mod tests {
    use super::{Bar, ranked};

    fn ranks(rows: &[[f64; 3]]) -> Vec<usize> {
        let rows = rows.iter().map(|&compared| Bar { compared, ..Bar::exact("", 0) });
        ranked(rows.collect()).into_iter().map(|(rank, _)| rank).collect()
    }

    #[test]
    fn rows_within_the_noise_of_the_first_of_a_rank_share_it() {
        assert_eq!(ranks(&[[14.0, 15.0, 16.0], [9.0, 10.0, 12.0], [11.0, 13.0, 15.0]]), [1, 1, 3]);
        assert_eq!(ranks(&[[7.0; 3], [7.0; 3], [8.0; 3], [8.0; 3]]), [1, 1, 3, 3]);
        assert_eq!(ranks(&[]), []);
    }
}
