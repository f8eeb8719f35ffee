//! Snapshots on their way: in pieces, so that the length of a message does not limit the table, and
//! a slow link shows soon that it works.
//!
//! The primary sends one piece after the other. The backup says what it has; it keeps the pieces of
//! one snapshot only, in memory. Where it has lost them, because it was restarted or another primary
//! has sent a piece, the primary begins again, with a new snapshot. Where only its answer to the last
//! piece was lost, and that piece comes again, it remembers that it had all.

use labrpc::decode;

use crate::given::record::MAX_TABLE;
use crate::given::snapshot::Snapshot;
use crate::given::version::Prefix;
use crate::replication::Message;
use crate::rpc::{CopyArgs, InstallArgs, InstallName, PieceArgs};

/// The length of a piece in bytes: as of the longest record.
pub(crate) const PIECE: usize = 1 << 20;

/// The longest table in a message's bytes: it takes more in memory.
const MAX_LENGTH: u64 = MAX_TABLE as u64;

/// What has come of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    name: Option<InstallName>,
    bytes: Vec<u8>,
    /// The snapshot that was whole last, and the log that it stands for.
    whole: Option<(InstallName, Prefix)>,
}

impl Pieces {
    /// Adds a piece. Returns the whole, when that was the last one. If the whole was returned
    /// before, returns instead the question whether it is still there: a copy without records.
    ///
    /// # Errors
    /// If more pieces are missing: up to where there are some.
    pub(crate) fn add(&mut self, piece: PieceArgs) -> Result<Message, u64> {
        let PieceArgs { name, length, offset, bytes } = piece;
        let InstallName { epoch, primary, last, repairs } = name;
        if let Some((_, log)) = self.whole.filter(|(whole, _)| *whole == name) {
            let (previous, committed, records) = (log, log, Vec::new());
            return Ok(Message::Copy(CopyArgs { epoch, primary, previous, records, committed }));
        }
        if self.name != Some(name) {
            // One that was late must not end what has begun since.
            let is_late = self.name.is_some_and(|begun| begun.epoch > name.epoch);
            if offset > 0 || is_late || length > MAX_LENGTH {
                return Err(0);
            }
            (self.name, self.bytes) = (Some(name), Vec::new());
        }
        if offset == self.bytes.len() as u64 {
            self.bytes.extend(bytes);
        }
        if (self.bytes.len() as u64) < length {
            return Err(self.bytes.len() as u64);
        }
        let table = decode(&std::mem::take(self).bytes).map_err(|_| 0_u64)?;
        let snapshot = Snapshot { last, table };
        self.whole = Some((name, snapshot.prefix()));
        Ok(Message::Install(InstallArgs { epoch, primary, snapshot, repairs }))
    }
}

#[cfg(test)]
mod tests {
    use labrpc::encode;

    use super::*;
    use crate::given::table::Table;
    use crate::given::tail::tests::at as version;
    use crate::state::tests::{address, damage};

    /// A snapshot up to this record, which the primary of `epoch` sends.
    fn install(epoch: u64, order: u64) -> InstallArgs {
        let pairs = (0..order).map(|key| (key.to_string(), "value".into())).collect();
        let snapshot =
            Snapshot { last: version(order, 1), table: Table { pairs, ..Table::default() } };
        InstallArgs { epoch, primary: address(1), snapshot, repairs: Some(damage(7)) }
    }

    /// Its pieces of `size` bytes.
    fn pieces(args: &InstallArgs, size: usize) -> Vec<PieceArgs> {
        let InstallArgs { epoch, primary, snapshot, repairs } = args.clone();
        let whole = encode(&snapshot.table);
        let name = InstallName { epoch, primary, last: snapshot.last, repairs };
        let piece = |(number, bytes): (usize, &[u8])| PieceArgs {
            name,
            length: whole.len() as u64,
            offset: (number * size) as u64,
            bytes: bytes.to_vec(),
        };
        whole.chunks(size).enumerate().map(piece).collect()
    }

    #[test]
    fn pieces_become_the_whole_in_order_only() {
        let args = install(2, 9);
        let sent = pieces(&args, 10);
        let mut pieces = Pieces::default();
        assert_eq!(pieces.add(sent[1].clone()), Err(0), "it has no beginning");
        assert_eq!(pieces.add(sent[0].clone()), Err(10));
        assert_eq!(pieces.add(sent[0].clone()), Err(10), "it came twice");
        assert_eq!(pieces.add(sent[2].clone()), Err(10), "one is missing");
        let (last, middle) = sent[1..].split_last().expect("there are more");
        for piece in middle {
            assert_eq!(pieces.add(piece.clone()), Err(piece.offset + 10));
        }
        let log = args.snapshot.prefix();
        assert_eq!(pieces.add(last.clone()), Ok(Message::Install(args)));
        assert!(pieces.bytes.is_empty(), "nothing is kept");
        let question = pieces.add(last.clone()).expect("the answer to the last piece was lost");
        let Message::Copy(CopyArgs { previous, records, .. }) = question else {
            panic!("it is not sent once more")
        };
        assert_eq!((previous, records.len()), (log, 0));
        let other = install_of(4);
        assert_eq!(pieces.add(other), Err(20), "another one is");
    }

    #[test]
    fn another_snapshot_ends_one_that_is_not_whole() {
        let (old, new) = (install(2, 9), install(2, 10));
        let (old, new) = (pieces(&old, 20), pieces(&new, 20));
        let mut pieces = Pieces::default();
        assert_eq!(pieces.add(old[0].clone()), Err(20));
        assert_eq!(pieces.add(new[1].clone()), Err(0), "its beginning did not come");
        assert_eq!(pieces.add(old[1].clone()), Err(40));
        assert_eq!(pieces.add(new[0].clone()), Err(20));
        assert_eq!(pieces.add(old[2].clone()), Err(0), "it was forgotten");
        assert_eq!(pieces.add(new[1].clone()), Err(40));
    }

    #[test]
    fn an_old_primary_does_not_disturb() {
        let (old, new) = (pieces(&install(2, 9), 20), pieces(&install(3, 9), 20));
        let mut pieces = Pieces::default();
        assert_eq!(pieces.add(old[0].clone()), Err(20));
        assert_eq!(pieces.add(new[0].clone()), Err(20));
        assert_eq!(pieces.add(old[0].clone()), Err(0));
        assert_eq!(pieces.add(new[1].clone()), Err(40));
        let length = MAX_LENGTH + 1;
        assert_eq!(pieces.add(PieceArgs { length, ..install_of(4) }), Err(0), "it takes too much");
    }

    /// A first piece of another snapshot.
    fn install_of(epoch: u64) -> PieceArgs {
        pieces(&install(epoch, 9), 20).swap_remove(0)
    }
}
