#![no_main]
//! Any bytes as a stored record: a record, or an error; never a panic or a huge allocation.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| oncalld::store::decode_anything(bytes));
