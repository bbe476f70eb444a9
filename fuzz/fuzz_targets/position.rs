#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::position::check(data));
