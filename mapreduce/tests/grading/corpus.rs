//! Inputs with the shape of the course's: eight books, 3.3 MB, 608 000 words.

use std::io::{self, Write};
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Names of the books and their numbers of words.
const BOOKS: [(&str, u32); 8] = [
    ("being_ernest", 23_731),
    ("dorian_gray", 81_980),
    ("frankenstein", 77_986),
    ("grimm", 104_139),
    ("huckleberry_finn", 114_254),
    ("metamorphosis", 25_186),
    ("sherlock_holmes", 107_533),
    ("tom_sawyer", 73_836),
];

/// Words that the author knows.
const VOCABULARY: u32 = 24_000;

/// Syllables; those at the end are rare, and not ASCII.
const CONSONANTS: [&str; 24] = [
    "t", "n", "s", "r", "h", "d", "l", "c", "m", "w", "f", "g", "p", "b", "v", "th", "st", "k",
    "y", "qu", "x", "z", "\u{df}", "\u{e7}",
];
const VOWELS: [&str; 14] =
    ["e", "a", "o", "i", "u", "ea", "ou", "ie", "ee", "y", "\u{e9}", "\u{fc}", "\u{e6}", "\u{c5}"];

/// Writes words drawn by Zipf's law, as lines of prose.
pub struct Author {
    rng: Pcg64,
    words: Vec<String>,
    /// Weights of the words up to each, for drawing. Integers: every platform draws the same.
    weights: Vec<u64>,
}

impl Author {
    /// The author with this seed, who always writes the same.
    pub fn new(seed: u64) -> Self {
        let mut rng = Pcg64::seed_from_u64(seed);
        let words = (0..VOCABULARY).map(|rank| invent(rank, &mut rng)).collect();
        let mut total = 0;
        let weights = (1..=u64::from(VOCABULARY)).map(|rank| {
            total += 1_000_000_000 / rank;
            total
        });
        let weights = weights.collect();
        Self { rng, words, weights }
    }

    /// Writes this number of words.
    pub fn write(&mut self, words: u32, out: &mut impl Write) -> io::Result<()> {
        let mut column = 0;
        let mut begins = true;
        for _ in 0..words {
            let text = self.word(begins);
            begins = text.ends_with(['.', '?']);
            column += text.len() + 1;
            let space = if column < 72 { " " } else { "\n" };
            column = if column < 72 { column } else { 0 };
            write!(out, "{text}{space}")?;
        }
        writeln!(out)
    }

    /// The next word, with punctuation.
    fn word(&mut self, begins: bool) -> String {
        let total = self.weights.last().copied().unwrap_or(1);
        let drawn = self.rng.random_range(0..total);
        let mut word = self.words[self.weights.partition_point(|sum| *sum <= drawn)].clone();
        if begins {
            word = word[..1].to_uppercase() + &word[1..];
        }
        match self.rng.random_range(0..100_u32) {
            0..6 => word + ",",
            6..12 => word + ".",
            12 => word + "?",
            13 => format!("\u{201c}{word}\u{201d}"),
            14 => word + "\u{2014}",
            15 => word + "'s",
            16 => format!("{word}-{}", drawn % 100),
            _ => word,
        }
    }
}

/// A word of this rank: frequent words are short. It begins with an ASCII letter.
fn invent(rank: u32, rng: &mut Pcg64) -> String {
    let syllables = match rank {
        0..8 => 1,
        8..100 => rng.random_range(1..3_u32),
        100..1000 => rng.random_range(1..4_u32),
        _ => rng.random_range(2..5_u32),
    };
    let mut pick = |from: &[&'static str], common: u32| {
        let among = if rng.random_range(0..60_u32) == 0 { from.len() as u32 } else { common };
        from[rng.random_range(0..among) as usize]
    };
    let mut word = String::new();
    for syllable in 0..syllables {
        if syllable == 0 {
            word.push_str(pick(&CONSONANTS[..19], 16));
        } else {
            word.push_str(pick(&CONSONANTS, 16));
        }
        word.push_str(pick(&VOWELS, 5));
    }
    word
}

/// Writes the eight books, `scale` times as long as the course's, into `directory`, where none of
/// them may be yet.
pub fn write_books(directory: &Path, seed: u64, scale: u32) -> io::Result<()> {
    let mut author = Author::new(seed);
    for (name, words) in BOOKS {
        let path = directory.join(format!("pg-{name}.txt"));
        let file = std::fs::File::create_new(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        let mut out = io::BufWriter::with_capacity(1 << 20, file);
        author.write(words * scale, &mut out)?;
        out.flush()?;
    }
    Ok(())
}
