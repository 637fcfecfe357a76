//! Transactions: what a snapshot and a write have in common, and what only a write can.

use std::ops::ControlFlow;

use redb::{
    ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata as _, WriteTransaction,
};

use super::catalog::Indexed;
use super::codec::{Record, decode, encode};
use super::error::StoreError;
use super::key::Key;
use super::tables::Table;
use crate::domain::audit::AuditEntry;

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Smallest key first.
    Ascending,
    /// Largest key first.
    Descending,
}

/// What a scan calls for each row: its key and value.
pub type Visit<'v> = &'v mut dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreError>;

/// What opens tables: a snapshot, or a write that sees what it has written.
pub trait Tables {
    /// An open table.
    type Opened<'t>: ReadableTable<&'static [u8], &'static [u8]>
    where
        Self: 't;

    /// Opens a table.
    fn open(&self, table: Table) -> Result<Self::Opened<'_>, StoreError>;
}

/// Reads.
pub trait Reader: Tables {
    /// The value of a key.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self
            .open(table)?
            .get(key)?
            .map(|value| value.value().to_vec()))
    }

    /// Visits the rows from key `from` (included) to `to` (not included), until told to stop.
    ///
    /// # Errors
    /// The engine failed, or the visitor did.
    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        order: Order,
        visit: Visit<'_>,
    ) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let table = self.open(table)?;
        let mut range = table.range(from..to)?;
        while let Some(row) = match order {
            Order::Ascending => range.next(),
            Order::Descending => range.next_back(),
        } {
            let (key, value) = row?;
            if visit(key.value(), value.value())?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The last key from `from` to `at`, which is not included, and the first from `at` to `to`.
    fn keys_beside(
        &self,
        table: Table,
        from: &[u8],
        at: &[u8],
        to: &[u8],
    ) -> Result<[Option<Vec<u8>>; 2], StoreError> {
        let table = self.open(table)?;
        let before = table.range(from..at)?.next_back().transpose()?;
        let after = table.range(at..to)?.next().transpose()?;
        Ok([before, after].map(|row| row.map(|(key, _)| key.value().to_vec())))
    }

    /// How many rows a table has.
    fn count(&self, table: Table) -> Result<u64, StoreError> {
        Ok(self.open(table)?.len()?)
    }

    /// The record of a key.
    ///
    /// # Errors
    /// The engine failed, or the record is damaged.
    fn find<T: Record>(&self, table: Table, key: &Key) -> Result<Option<T>, StoreError> {
        self.get(table, key.as_slice())?
            .map(|bytes| decode(table, &bytes))
            .transpose()
    }

    /// The records of some keys, in the order of the keys; those that aren't there are left
    /// out. Quicker than to [`Reader::find`] each.
    ///
    /// # Errors
    /// The engine failed, or a record is damaged.
    fn find_all<T: Record>(
        &self,
        table: Table,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<Vec<T>, StoreError> {
        let opened = self.open(table)?;
        let mut found = Vec::new();
        for key in keys {
            if let Some(value) = opened.get(key.as_slice())? {
                found.push(decode(table, value.value())?);
            }
        }
        Ok(found)
    }

    /// The records whose keys begin with `prefix`, in key order.
    ///
    /// # Errors
    /// The engine failed, or a record is damaged.
    fn list<T: Record>(&self, table: Table, prefix: &Key) -> Result<Vec<T>, StoreError> {
        let (from, to) = prefix.prefixed();
        let mut records = Vec::new();
        self.scan(table, &from, &to, Order::Ascending, &mut |_, bytes| {
            records.push(decode(table, bytes)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(records)
    }

    /// The keys from `from` (included) to `to` (not included), each turned into something;
    /// those that don't turn are left out.
    fn keys<T>(
        &self,
        table: Table,
        (from, to): (Vec<u8>, Vec<u8>),
        turn: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut keys = Vec::new();
        self.scan(table, &from, &to, Order::Ascending, &mut |key, _| {
            keys.extend(turn(key));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(keys)
    }
}

/// A consistent snapshot.
pub struct ReadTx(ReadTransaction);

impl ReadTx {
    pub(super) fn new(tx: ReadTransaction) -> Self {
        Self(tx)
    }
}

impl Tables for ReadTx {
    type Opened<'t> = ReadOnlyTable<&'static [u8], &'static [u8]>;

    fn open(&self, table: Table) -> Result<Self::Opened<'_>, StoreError> {
        Ok(self.0.open_table(table)?)
    }
}

impl Reader for ReadTx {}

/// A write under way. Dropped without a commit, it leaves no trace.
pub struct WriteTx {
    tx: WriteTransaction,
    pub(super) audit: Vec<AuditEntry>,
    /// Notifications that were put into the outbox.
    pub(super) queued: usize,
}

impl WriteTx {
    pub(super) fn new(tx: WriteTransaction) -> Self {
        Self {
            tx,
            audit: Vec::new(),
            queued: 0,
        }
    }

    /// What was appended to the audit log, and how many notifications were queued.
    pub(super) fn commit(self) -> Result<(Vec<AuditEntry>, usize), StoreError> {
        self.tx.commit()?;
        Ok((self.audit, self.queued))
    }

    /// What was appended to the audit log so far.
    pub fn audited(&self) -> &[AuditEntry] {
        &self.audit
    }

    /// Makes a table if it isn't there.
    pub(super) fn create(&self, table: Table) -> Result<(), StoreError> {
        self.tx.open_table(table)?;
        Ok(())
    }

    /// Deletes a table, if it's there.
    pub(super) fn delete_table(&self, name: &'static str) -> Result<(), StoreError> {
        self.tx.delete_table(Table::new(name))?;
        Ok(())
    }

    /// Empties a table, or makes it.
    pub(super) fn clear(&self, table: Table) -> Result<(), StoreError> {
        self.tx.delete_table(table)?;
        self.create(table)
    }

    /// Sets the value of a key: whether there was none.
    pub(super) fn add(&self, table: Table, key: &Key, value: &[u8]) -> Result<bool, StoreError> {
        let mut table = self.tx.open_table(table)?;
        Ok(table.insert(key.as_slice(), value)?.is_none())
    }

    /// Sets the value of a key.
    pub(super) fn set(&self, table: Table, key: &Key, value: &[u8]) -> Result<(), StoreError> {
        self.add(table, key, value).map(drop)
    }

    /// Adds a row of an index.
    pub(super) fn index(&self, row: &Indexed) -> Result<(), StoreError> {
        self.set(row.table, &row.key, &row.value)
    }

    /// Sets the record of a key.
    pub(super) fn put<T: Record>(
        &self,
        table: Table,
        key: &Key,
        record: &T,
    ) -> Result<(), StoreError> {
        self.set(table, key, &encode(table, record)?)
    }

    /// Removes a key: whether it was there.
    pub(super) fn take(&self, table: Table, key: &Key) -> Result<bool, StoreError> {
        let mut table = self.tx.open_table(table)?;
        Ok(table.remove(key.as_slice())?.is_some())
    }

    /// Removes a key, if it's there.
    pub(super) fn remove(&self, table: Table, key: &Key) -> Result<(), StoreError> {
        self.take(table, key).map(drop)
    }
}

impl Tables for WriteTx {
    type Opened<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

    fn open(&self, table: Table) -> Result<Self::Opened<'_>, StoreError> {
        Ok(self.tx.open_table(table)?)
    }
}

impl Reader for WriteTx {}
