//! `cargo lab list`: lists every test with its part, points and claim.

use contract::record::Exit;
use judge::catalog::Lab;
use judge::{Error, Workspace};

use crate::cli::ListArgs;
use crate::select::Selection;
use crate::table::{Align, Table};

/// Runs the command. It builds nothing.
pub(crate) fn run(args: &ListArgs) -> Result<Exit, Error> {
    let catalog = Workspace::find()?.catalog()?;
    let selection = Selection::new(&args.patterns);
    let labs = selection.labs(&catalog)?;
    let everything = args.patterns.is_empty();
    let mut table = Table::new(&["Lab", "Part", "Points", "Test", "Claim"]);
    table.align(&[Align::Left, Align::Left, Align::Right]);
    let mut points = 0;
    for entry in catalog.entries().filter(|entry| selection.includes_entry(*entry, &catalog)) {
        points += entry.test.points;
        let row = vec![
            entry.lab.name.clone(),
            entry.part.name.clone(),
            entry.test.points.to_string(),
            entry.test.name.clone(),
            entry.test.claim.clone(),
        ];
        table.push(row, Exit::Passed);
    }
    table.lines().iter().for_each(|line| anstream::println!("{line}"));
    anstream::println!("\n{points} points");
    // They run only when they are named, so the list mentions them.
    let health =
        |lab: &&Lab| lab.health_check && (everything || labs.iter().any(|it| it.name == lab.name));
    for lab in catalog.labs.iter().filter(health) {
        let remark = "a health check without points; run it with `cargo lab test";
        anstream::println!("{}: {}; {remark} {}`", lab.name, lab.title, lab.name);
    }
    Ok(Exit::Passed)
}
