//! Links to the other pages of a list.

use crate::wire::{Page, Paging};

/// Where a list goes on.
#[derive(Clone, Debug)]
pub struct Pager {
    /// This page, from 1.
    pub page: usize,
    /// How many there are.
    pub pages: usize,
    /// Items on all of them.
    pub total: usize,
    /// The one before.
    pub previous: Option<String>,
    /// The one after.
    pub next: Option<String>,
}

impl Pager {
    /// Of a page of a list, whose address is `path` with `query`, in which `page` is replaced.
    pub fn new<T>(list: &Page<T>, path: &str, query: &[(&str, &str)]) -> Self {
        let pages = list.total.div_ceil(list.page_size.max(1)).max(1);
        let link = |page: usize| {
            let mut text =
                form_urlencoded::Serializer::for_suffix(format!("{path}?"), path.len() + 1);
            for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
                text.append_pair(name, value);
            }
            text.append_pair("page", &page.to_string());
            text.finish()
        };
        Self {
            page: list.page,
            pages,
            total: list.total,
            previous: (list.page > 1).then(|| link(list.page.min(pages + 1) - 1)),
            next: (list.page < pages).then(|| link(list.page + 1)),
        }
    }
}

/// The asked-for page, of `size` items; whatever was asked for that is none is the first.
pub fn paging(page: Option<&str>, size: usize) -> Paging {
    let page = page.and_then(|page| page.parse().ok());
    Paging {
        page: Some(page.filter(|page| *page >= 1).unwrap_or(1)),
        page_size: Some(size),
    }
}
