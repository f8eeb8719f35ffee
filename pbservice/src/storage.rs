//! Placeholder.
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use crate::record::Record; use crate::version::Version; use crate::snapshot::Snapshot; use crate::table::Table;
use crate::state::{Epoch, Found, Order};
/// Disk.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<Content>>);
#[derive(Clone, Debug, Default)]
struct Content { promised: Epoch, snapshot: Version, store: Table, records: Vec<Record>, unsynced: Vec<Record> }
/// Error.
#[derive(Debug)]
pub struct OpenError;
/// Storage.
#[derive(Debug)]
pub struct Storage(Disk);
impl Disk {
    /// New.
    pub fn new() -> Self { Self::default() }
    /// Records.
    pub fn records(&self) -> (Version, Vec<Record>) { let c = self.0.lock().unwrap(); (c.snapshot, c.records.clone()) }
    /// Crash.
    pub fn crash(&self) -> Self { self.copy() }
    /// Copy.
    pub fn copy(&self) -> Self {
        let mut c = self.0.lock().unwrap().clone();
        c.unsynced.clear();
        Disk(Arc::new(Mutex::new(c)))
    }
}
impl Storage {
    pub(crate) fn open(disk: Disk, _address: SocketAddr) -> Result<(Self, Found), OpenError> {
        let c = disk.0.lock().unwrap().clone();
        Ok((Self(disk), Found { promised: c.promised, snapshot: Snapshot { last: c.snapshot, table: c.store }, records: c.records, is_damaged: false }))
    }
    pub(crate) fn append(&mut self, r: &[Record]) -> io::Result<()> { self.0.0.lock().unwrap().unsynced.extend_from_slice(r); Ok(()) }
    pub(crate) fn sync(&mut self) -> io::Result<()> { 
        labrpc::sleep(std::time::Duration::from_micros(500));
        let mut c = self.0.0.lock().unwrap(); let u = std::mem::take(&mut c.unsynced); c.records.extend(u); Ok(()) }
    pub(crate) fn truncate_from(&mut self, o: Order) -> io::Result<()> { let mut c = self.0.0.lock().unwrap(); let u = std::mem::take(&mut c.unsynced); c.records.extend(u); c.records.retain(|r| r.order < o); Ok(()) }
    pub(crate) fn save_promise(&mut self, e: Epoch) -> io::Result<()> { self.0.0.lock().unwrap().promised = e; Ok(()) }
    pub(crate) fn save_snapshot(&mut self, s: &Snapshot) -> io::Result<()> { let (v, s) = (s.last, &s.table); let mut c = self.0.0.lock().unwrap(); let u = std::mem::take(&mut c.unsynced); c.records.extend(u); c.snapshot = v; c.store = s.clone(); c.records.retain(|r| r.order > v.order); Ok(()) }
    pub(crate) fn install_snapshot(&mut self, s: &Snapshot) -> io::Result<()> { let (v, s) = (s.last, &s.table); let mut c = self.0.0.lock().unwrap(); c.snapshot = v; c.store = s.clone(); c.records.clear(); c.unsynced.clear(); Ok(()) }
}
