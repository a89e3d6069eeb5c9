//! The charts: the instructions and the time of a pair of calls, the time of a wait for many, the sizes.

use crate::rows::{Count, LIMIT, OURS, Size, Time, UNCHECKED, read};
use crate::{Result, file};
use plotters::prelude::*;

const PLAIN: RGBColor = RGBColor(150, 160, 175);
const LIMITS: RGBColor = RGBColor(90, 100, 115);
const ACCENT: RGBColor = RGBColor(200, 80, 30);

pub fn draw() -> Result<()> {
    let counts: Vec<Count> = read("results/instructions.csv")?;
    let pair = "write, read";
    let bars = |rows: Vec<(String, f64)>, name: &str, title: &str| bars(&rows, name, title);
    let rows = counts.iter().filter(|row| row.operation == pair && row.peer != UNCHECKED);
    let rows = rows.map(|row| (row.peer.clone(), row.instructions as f64)).collect();
    bars(rows, "instructions.svg", "Instructions of one write and one read")?;
    let times: Vec<Time> = read("results/times.csv")?;
    let rows = times.iter().filter(|row| row.operation == pair && row.peer != UNCHECKED);
    bars(rows.map(|row| (row.peer.clone(), row.ns)).collect(), "times.svg", "Nanoseconds of one write and one read")?;
    let rows = times.iter().filter(|row| row.operation == "write, wait for any of 10 000, read");
    let title = "Nanoseconds of a write, a wait for any of 10 000, and a read";
    bars(rows.map(|row| (row.peer.clone(), row.ns)).collect(), "waiting.svg", title)?;
    if let Ok(sizes) = read::<Size>("results/sizes.csv") {
        let rows = sizes.iter().filter(|row| row.architecture == "x86_64");
        let rows = rows.map(|row| (row.program.clone(), row.text as f64)).collect();
        bars(rows, "sizes.svg", "Bytes of code of the same static program, x86_64")?;
    }
    Ok(())
}

/// One bar a row, the longest last, each with its name and value.
fn bars(rows: &[(String, f64)], name: &str, title: &str) -> Result<()> {
    const LINE: i32 = 24;
    const LEFT: i32 = 130;
    const WIDTH: i32 = 720;
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| a.1.total_cmp(&b.1));
    let most = rows.last().map_or(1.0, |row| row.1);
    let path = file(&format!("results/{name}"));
    let height = LINE * (rows.len() as i32 + 2);
    let area = SVGBackend::new(&path, (WIDTH as u32, height as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let style = ("sans-serif", 14).into_font().color(&BLACK);
    area.draw(&Text::new(title, (10, 8), ("sans-serif", 16).into_font().color(&BLACK)))?;
    for (index, (label, value)) in rows.iter().enumerate() {
        let top = LINE * (index as i32 + 1) + 12;
        let colour = match label.as_str() {
            OURS => ACCENT,
            LIMIT => LIMITS,
            _ => PLAIN,
        };
        let right = LEFT + ((WIDTH - LEFT - 80) as f64 * value / most) as i32;
        area.draw(&Rectangle::new([(LEFT, top), (right, top + LINE - 6)], colour.filled()))?;
        area.draw(&Text::new(label.clone(), (10, top + 2), style.clone()))?;
        area.draw(&Text::new(format!("{value:.0}"), (right + 6, top + 2), style.clone()))?;
    }
    Ok(area.present()?)
}
