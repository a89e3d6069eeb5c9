//! The charts: the instructions and the time of a pair of calls, the time of a wait for many, the sizes.

use crate::ranks::{Bar, ranked};
use crate::rows::{Count, LIMIT, OURS, Size, Time, UNCHECKED, read};
use crate::{Result, file};
use plotters::prelude::*;

const PLAIN: RGBColor = RGBColor(150, 160, 175);
const LIMITS: RGBColor = RGBColor(90, 100, 115);
const ACCENT: RGBColor = RGBColor(200, 80, 30);

pub fn draw() -> Result<()> {
    let counts: Vec<Count> = read("results/instructions.csv")?;
    let pair = "write, read";
    let rows = counts.iter().filter(|row| row.operation == pair && row.peer != UNCHECKED);
    let rows = rows.map(|row| Bar::exact(&row.peer, row.instructions)).collect();
    bars(rows, "instructions.svg", "Instructions of one write and one read")?;
    let times: Vec<Time> = read("results/times.csv")?;
    let rows = times.iter().filter(|row| row.operation == pair && row.peer != UNCHECKED);
    let title = "Nanoseconds of one write and one read (median and quartiles)";
    bars(rows.map(Bar::of_time).collect(), "times.svg", title)?;
    let rows = times.iter().filter(|row| row.operation == "write, wait for any of 10 000, read");
    let title = "Nanoseconds of a write, a wait for any of 10 000, and a read (median and quartiles)";
    bars(rows.map(Bar::of_time).collect(), "waiting.svg", title)?;
    if let Ok(sizes) = read::<Size>("results/sizes.csv") {
        let rows = sizes.iter().filter(|row| row.architecture == "x86_64");
        let rows = rows.map(|row| Bar::exact(&row.program, row.text)).collect();
        bars(rows, "sizes.svg", "Bytes of code of the same static program, x86_64")?;
    }
    Ok(())
}

/// One bar a row, the longest last, each with its rank, name and value, and a line from the first to the third
/// quartile.
fn bars(rows: Vec<Bar>, name: &str, title: &str) -> Result<()> {
    const LINE: i32 = 24;
    const LEFT: i32 = 150;
    const WIDTH: i32 = 740;
    let most = rows.iter().map(|row| row.spread[1]).fold(1.0, f64::max);
    let path = file(&format!("results/{name}"));
    let height = LINE * (rows.len() as i32 + 2);
    let area = SVGBackend::new(&path, (WIDTH as u32, height as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let style = ("sans-serif", 14).into_font().color(&BLACK);
    area.draw(&Text::new(title, (10, 8), ("sans-serif", 16).into_font().color(&BLACK)))?;
    let at = |value: f64| LEFT + (f64::from(WIDTH - LEFT - 80) * value / most) as i32;
    for (index, (rank, row)) in ranked(rows).into_iter().enumerate() {
        let [low, high] = row.spread.map(at);
        let top = LINE * (index as i32 + 1) + 12;
        let colour = match row.label.as_str() {
            OURS => ACCENT,
            LIMIT => LIMITS,
            _ => PLAIN,
        };
        area.draw(&Rectangle::new([(LEFT, top), (at(row.value), top + LINE - 6)], colour.filled()))?;
        let middle = top + LINE / 2 - 3;
        if low < high {
            area.draw(&PathElement::new(vec![(low, middle), (high, middle)], BLACK))?;
        }
        area.draw(&Text::new(format!("{rank}. {}", row.label), (10, top + 2), style.clone()))?;
        area.draw(&Text::new(format!("{:.0}", row.value), (high + 6, top + 2), style.clone()))?;
    }
    Ok(area.present()?)
}
