//! Measures the lecture's formats for the records of the primary/backup service: lines of text,
//! fixed binary records, XML, JSON, and the codec that the service uses.
//!
//! Records have no checksums here. `cargo bench -p benches --bench formats` prints the size of a
//! record in bytes, and measures the time for a thousand records.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pbservice::{Operation, Record};

/// The number of records to write and read in one iteration.
const RECORDS: u64 = 1_000;

/// A way to store records one after the other.
struct Format {
    name: &'static str,
    write: fn(&[Record]) -> Vec<u8>,
    read: fn(&[u8]) -> Vec<Record>,
}

/// All of them.
const FORMATS: [Format; 5] = [
    Format { name: "lines of text", write: write_lines, read: read_lines },
    Format { name: "fixed binary", write: write_fixed, read: read_fixed },
    Format { name: "XML", write: write_xml, read: read_xml },
    Format { name: "JSON", write: write_json, read: read_json },
    Format { name: "codec", write: labrpc::encode, read: read_codec },
];

/// Puts of short keys, with values of 32 bytes that are text, as those of the tests are.
fn records() -> Vec<Record> {
    let record = |order| {
        let key = format!("user{:06}", order * 7919 % RECORDS);
        let value = format!("the value of operation {order:08}\n");
        let operation = Operation::Put { key, value };
        Record {
            order,
            epoch: 3,
            client: (1 << 63) | (order % 10),
            sequence: order / 10,
            operation,
        }
    };
    (1..=RECORDS).map(record).collect()
}

/// The key and the value of a put.
fn pair(record: &Record) -> (&str, &str) {
    match &record.operation {
        Operation::Put { key, value } => (key, value),
        other => panic!("there are only puts here, and no {other}"),
    }
}

/// The put with these numbers (order, epoch, client, sequence), key and value.
fn put([order, epoch, client, sequence]: [u64; 4], key: String, value: String) -> Record {
    Record { order, epoch, client, sequence, operation: Operation::Put { key, value } }
}

/// The numbers of a record.
fn numbers(record: &Record) -> [u64; 4] {
    [record.order, record.epoch, record.client, record.sequence]
}

/// Reads a number.
fn number(text: &str) -> u64 {
    text.parse().expect("it was written as a number")
}

/// `order epoch client sequence key value`; line ends in values must be escaped, and spaces in
/// keys.
fn write_lines(records: &[Record]) -> Vec<u8> {
    let mut text = String::new();
    for record in records {
        numbers(record).iter().for_each(|number| text.push_str(&format!("{number} ")));
        let (key, value) = pair(record);
        let escape = |text: &str| text.replace('\\', "\\\\").replace('\n', "\\n");
        text.push_str(&format!("{} {}\n", escape(key).replace(' ', "\\s"), escape(value)));
    }
    text.into_bytes()
}

/// The reverse of [`write_lines`].
fn read_lines(bytes: &[u8]) -> Vec<Record> {
    let text = std::str::from_utf8(bytes).expect("it is text");
    let read = |line: &str| {
        let mut parts = line.splitn(6, ' ');
        let mut next = || parts.next().expect("it has six parts");
        let numbers = [number(next()), number(next()), number(next()), number(next())];
        put(numbers, unescape(next()), unescape(next()))
    };
    text.lines().map(read).collect()
}

/// Undoes the escapes of [`write_lines`].
fn unescape(text: &str) -> String {
    let (mut plain, mut chars) = (String::with_capacity(text.len()), text.chars());
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some('s') => plain.push(' '),
                other => plain.extend(other),
            },
            other => plain.push(other),
        }
    }
    plain
}

/// Bytes for a key, and for a value, in a fixed record.
const FIXED: (usize, usize) = (32, 64);

/// Four numbers, and 32 and 64 bytes, filled up with zeros: what is longer cannot be stored.
fn write_fixed(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        numbers(record).iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        let (key, value) = pair(record);
        for (text, width) in [(key, FIXED.0), (value, FIXED.1)] {
            bytes.extend(text.as_bytes());
            bytes.resize(bytes.len() + width - text.len(), 0);
        }
    }
    bytes
}

/// The reverse of [`write_fixed`].
fn read_fixed(bytes: &[u8]) -> Vec<Record> {
    let read = |record: &[u8]| {
        let number = |i: u8| {
            u64::from_le_bytes(*record[8 * usize::from(i)..].first_chunk().expect("32 bytes"))
        };
        let text = |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).expect("it is text");
            text.trim_end_matches('\0').to_string()
        };
        let (key, value) = record[32..].split_at(FIXED.0);
        put([number(0), number(1), number(2), number(3)], text(key), text(value))
    };
    bytes.chunks(32 + FIXED.0 + FIXED.1).map(read).collect()
}

/// The elements of a record in XML.
const TAGS: [&str; 6] = ["order", "epoch", "client", "sequence", "key", "value"];

/// One element for a record, one for each field.
fn write_xml(records: &[Record]) -> Vec<u8> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut text = String::from("<log>");
    for record in records {
        let (key, value) = pair(record);
        let fields = numbers(record).map(|number| number.to_string()).into_iter();
        text.push_str("<put>");
        for (tag, field) in TAGS.iter().zip(fields.chain([escape(key), escape(value)])) {
            text.push_str(&format!("<{tag}>{field}</{tag}>"));
        }
        text.push_str("</put>");
    }
    text.push_str("</log>");
    text.into_bytes()
}

/// The reverse of [`write_xml`]. It reads no other XML: a real parser does more work.
fn read_xml(bytes: &[u8]) -> Vec<Record> {
    let text = std::str::from_utf8(bytes).expect("it is text");
    let read = |record: &str| {
        let mut rest = record;
        let mut field = |tag: &str| {
            let (_, after) = rest.split_once(&format!("<{tag}>")).expect("the element begins");
            let (field, after) = after.split_once(&format!("</{tag}>")).expect("the element ends");
            rest = after;
            field.replace("&lt;", "<").replace("&amp;", "&")
        };
        let [order, epoch, client, sequence, key, value] = TAGS.map(&mut field);
        put([order, epoch, client, sequence].map(|text| number(&text)), key, value)
    };
    text.split("<put>").skip(1).map(read).collect()
}

/// A list.
fn write_json(records: &[Record]) -> Vec<u8> {
    serde_json::to_vec(records).expect("records can be written")
}

/// The reverse of [`write_json`].
fn read_json(bytes: &[u8]) -> Vec<Record> {
    serde_json::from_slice(bytes).expect("it was written as JSON")
}

/// The reverse of [`labrpc::encode`].
fn read_codec(bytes: &[u8]) -> Vec<Record> {
    labrpc::decode(bytes).expect("it was written by the codec")
}

/// Prints the sizes, and measures the times.
fn formats(criterion: &mut Criterion) {
    let records = records();
    for Format { name, write, read } in FORMATS {
        let bytes = write(&records);
        assert_eq!(read(&bytes), records, "{name}");
        println!("{name}: {:.1} bytes a record", bytes.len() as f64 / RECORDS as f64);
        let mut group = criterion.benchmark_group(name);
        group.bench_function("write 1000", |bencher| bencher.iter(|| write(black_box(&records))));
        group.bench_function("read 1000", |bencher| bencher.iter(|| read(black_box(&bytes))));
        group.finish();
    }
}

criterion_group!(benches, formats);
criterion_main!(benches);
