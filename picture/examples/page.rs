//! Reads a recording from standard input and writes its page to standard output.

fn main() -> std::io::Result<()> {
    let recording = std::io::read_to_string(std::io::stdin())?;
    print!("{}", picture::html(&recording));
    Ok(())
}
