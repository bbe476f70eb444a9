//! The type bytes of the base conversation.

/// Type bytes: capitals come from the giver, small letters from the taker.
pub mod kind {
    /// [`Asked::OpenCut`](super::Asked::OpenCut)
    pub const OPEN_CUT: u8 = b'o';
    /// [`Given::Cut`](super::Given::Cut)
    pub const CUT: u8 = b'C';
    /// [`Asked::Have`](super::Asked::Have)
    pub const HAVE: u8 = b'v';
    /// [`Given::Compared`](super::Given::Compared)
    pub const COMPARED: u8 = b'Q';
    /// [`Given::PageSums`](super::Given::PageSums)
    pub const PAGE_SUMS: u8 = b'S';
    /// [`Asked::Want`](super::Asked::Want)
    pub const WANT: u8 = b'w';
    /// [`Given::Pages`](super::Given::Pages)
    pub const PAGES: u8 = b'P';
    /// [`Asked::AskLog`](super::Asked::AskLog)
    pub const ASK_LOG: u8 = b'l';
    /// [`Given::Log`](super::Given::Log)
    pub const LOG: u8 = b'L';
    /// [`Asked::AskRoots`](super::Asked::AskRoots)
    pub const ASK_ROOTS: u8 = b't';
    /// [`Given::Roots`](super::Given::Roots)
    pub const ROOTS: u8 = b'T';
    /// [`Asked::Status`](super::Asked::Status)
    pub const STATUS: u8 = b'b';
    /// [`Asked::Complete`](super::Asked::Complete)
    pub const COMPLETE: u8 = b'd';
    /// [`Given::Busy`](super::Given::Busy)
    pub const BUSY: u8 = b'V';
    /// [`Asked::Refuse`](super::Asked::Refuse) and [`Given::Refuse`](super::Given::Refuse), as in the conversation about the log
    pub const REFUSE: u8 = crate::kind::REFUSE;
}

/// Name, type byte and direction of every message, for the table of the documentation and for logs; → goes to the taker.
pub const BASE_MESSAGES: &[(&str, u8, &str)] = &[
    ("OpenCut", kind::OPEN_CUT, "←"),
    ("Cut", kind::CUT, "→"),
    ("Have", kind::HAVE, "←"),
    ("Compared", kind::COMPARED, "→"),
    ("PageSums", kind::PAGE_SUMS, "→"),
    ("Want", kind::WANT, "←"),
    ("Pages", kind::PAGES, "→"),
    ("AskLog", kind::ASK_LOG, "←"),
    ("Log", kind::LOG, "→"),
    ("AskRoots", kind::ASK_ROOTS, "←"),
    ("Roots", kind::ROOTS, "→"),
    ("Status", kind::STATUS, "←"),
    ("Complete", kind::COMPLETE, "←"),
    ("Busy", kind::BUSY, "→"),
    ("Refuse", kind::REFUSE, "↔"),
];
