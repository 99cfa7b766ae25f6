//! The boards: what they are, what they hold, how they were flashed and booted.

use maud::{Markup, html};

use super::{View, class, took};
use crate::event::Status;
use crate::history::BoardRun;
use crate::report::model::BoardNight;

/// The table of boards.
pub(super) fn section(view: &View<'_>) -> Markup {
    html! {
        section #boards aria-labelledby="boards-title" {
            h2 #boards-title { "Boards" }
            div.scroll tabindex="0" role="region" aria-labelledby="boards-title" {
                table.boards {
                    thead { tr {
                        @for title in ["board", "chip", "port"] { th scope="col" { (title) } }
                        @for title in ["passed", "firmware", "flashed", "boot", "free", "time"] { th.number scope="col" { (title) } }
                        th scope="col" { "runs" }
                    } }
                    tbody { @for (index, board) in view.night.boards.iter().enumerate() { (row(view, index, board)) } }
                }
            }
            @for board in view.night.boards.iter().filter(|board| board.booted.is_some()) { (boot(board)) }
        }
    }
}

fn row(view: &View<'_>, index: usize, board: &BoardNight) -> Markup {
    let pairs = || view.night.pairs.iter().filter(|((_, of), _)| *of == index).map(|(_, pair)| pair.status());
    let right = pairs().filter(|status| matches!(status, Some(Status::Passed | Status::Differs))).count();
    let ran = pairs().filter(|status| *status != Some(Status::Skipped)).count();
    let failed = pairs().any(|status| status == Some(Status::Failed)) || board.given_up.is_some();
    let (flashed, booted) = (board.flashed.as_ref(), board.booted.as_ref());
    html! {
        tr {
            th scope="row" class=[failed.then_some(class(Some(Status::Failed)))] { (board.name) }
            @if let Some(started) = &board.started {
                td { (started.chip) }
                td.port { (started.port) }
            } @else { td {} td { @if ran == 0 { "was not reached" } } }
            td.number { (right) "/" (ran) }
            td.number title=[flashed.map(|flashed| format!("digest {}", flashed.digest))] {
                @if let Some(flashed) = flashed && flashed.firmware_bytes > 0 { (kilobytes(flashed.firmware_bytes)) }
            }
            td.number { (flash_time(board)) }
            td.number { @if let Some(booted) = booted { (took(booted.board_ms)) } }
            td.number { @if let Some(free) = booted.and_then(|booted| booted.free_bytes) { (kilobytes(free)) } }
            td.number { @if let Some(ms) = board.ms { (took(ms)) } }
            td { (runs(view, &board.name)) }
        }
    }
}

fn flash_time(board: &BoardNight) -> Markup {
    html! {
        @match &board.flashed {
            Some(flashed) if flashed.written => {
                (took(flashed.board_ms))
                @if flashed.board_ms > 0 && flashed.firmware_bytes > 0 {
                    span.of { (flashed.firmware_bytes / flashed.board_ms) " KB/s" }
                }
            }
            Some(_) => { span.of { "had it" } }
            None => {}
        }
    }
}

/// A mark for each of the last runs: the worst that happened on this board.
fn runs(view: &View<'_>, name: &str) -> Markup {
    const SHOWN: usize = 20;
    let runs = &view.past.runs[view.past.runs.len().saturating_sub(SHOWN)..];
    html! {
        span.history {
            @for run in runs {
                @if let Some(worst) = run.boards.get(name).and_then(BoardRun::worst) {
                    i class=(class(Some(worst))) title={ (super::day(run.unix_s)) ": " (worst.word()) } {}
                } @else { i.none title={ (super::day(run.unix_s)) ": did not run" } {} }
            }
        }
    }
}

fn boot(board: &BoardNight) -> Markup {
    html! {
        details {
            summary { (board.name) ": boot log" @if let Some(booted) = &board.booted { ", " span.of { (booted.banner) } } }
            @if let Some(started) = &board.started {
                p.facts {
                    @if let Some(owner) = &started.owner { span { "owner " (owner) } }
                    @for tag in &started.tags { span { "#" (tag) } }
                    @if let Some(notes) = &started.notes { span { (notes) } }
                }
            }
            @if let Some(flashed) = &board.flashed { p.facts { span { "image " code { (flashed.digest) } } } }
            @if let Some(booted) = &board.booted { pre tabindex="0" { (booted.boot_log) } }
        }
    }
}

pub(super) fn kilobytes(bytes: u64) -> String {
    format!("{:.0} KB", bytes as f64 / 1024.0)
}
