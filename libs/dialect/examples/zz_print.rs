fn main() { for sql in std::env::args().skip(1) { match dialect::analyze(&sql, &dialect::NoSchema) { Ok(s) => println!("{}", s.sqlite.concat()), Err(e) => println!("{e:?}") } } }
