// Terminals: line editing, input flags, non-canonical input.
#include <poll.h>

#include <string>

#include "test/guest/terminals.h"

using namespace guest;

// --- Canonical input

CASE(tty_a_line) { Dialogue(Open(), "hello\n"); }
CASE(tty_carriage_return_ends_a_line) { Dialogue(Open(), "a\rb\r"); }
CASE(tty_a_part_of_a_line) {
  const Pair p = Open();
  Dialogue(p, "abc");
  Record("events", Events(p.slave));
  Record("queued", Queued(p.slave));
  Dialogue(p, "d\n");
}
CASE(tty_one_line_at_a_time) {
  const Pair p = Open();
  Type(p, "one\ntwo\n");
  SleepMs(20);
  char b[64];
  Record("queued", Queued(p.slave));
  T(read(p.slave, b, 2));
  T(read(p.slave, b, 64));
  T(read(p.slave, b, 64));
}
CASE(tty_end_of_file) {
  const Pair p = Open();
  char b[64];
  Type(p, "\004");
  T(read(p.slave, b, 64));
  Type(p, "abc\004");
  T(read(p.slave, b, 64));
  Type(p, "xyz\004");
  SleepMs(20);
  Record("queued", Queued(p.slave));
  T(read(p.slave, b, 3));
  Record("events", Events(p.slave) & POLLIN);
  Dialogue(p, "q\004\004");
}
CASE(tty_erase) { Dialogue(Open(), "abc\177\177x\n"); }
CASE(tty_erase_nothing) { Dialogue(Open(), "\177\177a\n"); }
CASE(tty_erase_control_character) { Dialogue(Open(), "a\001\002\177b\n"); }
CASE(tty_erase_tabs) { Dialogue(Open(), "ab\tc\t\177\177\177d\n"); }
CASE(tty_erase_tab_after_prompt) {
  const Pair p = Open();
  MUST(write(p.slave, "prompt> ", 8));
  Dialogue(p, "a\t\177b\n");
}
CASE(tty_erase_word) { Dialogue(Open(), "one two.three  \027four\027\027\n"); }
CASE(tty_kill) { Dialogue(Open(), "gone\025kept\n"); }
CASE(tty_kill_without_echoke) {
  const Pair p = Open();
  Change(p.slave, {0, ECHOKE});
  Dialogue(p, "gone\025kept\n");
}
CASE(tty_kill_without_echok) {
  const Pair p = Open();
  Change(p.slave, {0, ECHOKE | ECHOK});
  Dialogue(p, "gone\025kept\n");
}
CASE(tty_erase_without_echoe) {
  const Pair p = Open();
  Change(p.slave, {0, ECHOE});
  Dialogue(p, "abc\177\177d\n");
}
CASE(tty_erase_printing) {
  const Pair p = Open();
  Change(p.slave, {ECHOPRT, 0});
  Dialogue(p, "abc\177\177d\177e\n");
}
CASE(tty_erase_utf8) {
  const Pair p = Open();
  Change(p.slave, {}, {IUTF8, 0});
  Dialogue(p, "a\303\244\342\202\254\177\177b\n");
}
CASE(tty_erase_utf8_bytes) { Dialogue(Open(), "a\303\244\177b\n"); }
CASE(tty_reprint) { Dialogue(Open(), "abc\022d\n"); }
CASE(tty_literal_next) { Dialogue(Open(), "a\026\003b\026\177\026\nc\n"); }
CASE(tty_without_extensions) {
  const Pair p = Open();
  Change(p.slave, {0, IEXTEN});
  Dialogue(p, "one two\027\022\026x\n");
}
CASE(tty_end_of_line_characters) {
  const Pair p = Open();
  SetCharacter(p.slave, VEOL, ';');
  SetCharacter(p.slave, VEOL2, '!');
  Type(p, "a;b!c\n");
  SleepMs(20);
  char b[64];
  T(read(p.slave, b, 64));
  T(read(p.slave, b, 64));
  T(read(p.slave, b, 64));
  Record("shown", Available(p.master));
}
CASE(tty_disabled_characters) {
  const Pair p = Open();
  SetCharacter(p.slave, VERASE, 0);
  SetCharacter(p.slave, VINTR, 0);
  Dialogue(p, std::string("a\177\003b\000c\n", 7));
}
CASE(tty_changed_erase) {
  const Pair p = Open();
  SetCharacter(p.slave, VERASE, '#');
  Dialogue(p, "abc##d\177\n");
}
CASE(tty_line_that_is_too_long) {
  const Pair p = Open();
  Change(p.slave, {0, ECHO});
  Type(p, std::string(5000, 'x'));
  SleepMs(20);
  Type(p, "yz\n");
  SleepMs(20);
  char b[8192];
  const ssize_t count = read(p.slave, b, sizeof(b));
  Record("count", count);
  Record("end", Visible(std::string(b + count - 3, 3)));
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  T(read(p.slave, b, sizeof(b)));
}
CASE(tty_no_echo) {
  const Pair p = Open();
  Change(p.slave, {0, ECHO});
  Dialogue(p, "secret\177\n");
}
CASE(tty_echo_newline_only) {
  const Pair p = Open();
  Change(p.slave, {ECHONL, ECHO});
  Dialogue(p, "secret\n");
}
CASE(tty_echo_control_as_it_is) {
  const Pair p = Open();
  Change(p.slave, {0, ECHOCTL});
  Dialogue(p, "a\001b\177\n");
}
CASE(tty_echo_control_characters) { Dialogue(Open(), "\001\033\t\037x\n"); }

// --- Input flags

CASE(tty_ignore_carriage_return) {
  const Pair p = Open();
  Change(p.slave, {}, {IGNCR, 0});
  Dialogue(p, "a\rb\n");
}
CASE(tty_newline_to_carriage_return) {
  const Pair p = Open();
  Change(p.slave, {}, {INLCR, ICRNL});
  Dialogue(p, "a\nb\004");
}
CASE(tty_strip) {
  const Pair p = Open();
  Change(p.slave, {}, {ISTRIP, 0});
  Dialogue(p, "\341\342\n");
}
CASE(tty_lower_case) {
  const Pair p = Open();
  Change(p.slave, {}, {IUCLC, 0});
  Dialogue(p, "ABC\n");
}
CASE(tty_parity_mark) {
  const Pair p = Open();
  Change(p.slave, {}, {PARMRK, 0});
  Dialogue(p, "a\377b\n");
}

// --- Non-canonical input

CASE(tty_raw_bytes) { Dialogue(OpenRaw(), std::string("a\003\004\r\n\000\177", 7)); }
CASE(tty_raw_with_echo) {
  const Pair p = OpenRaw();
  Change(p.slave, {ECHO, 0});
  Dialogue(p, "ab\r\n\001");
}
CASE(tty_minimum) {
  const Pair p = OpenRaw();
  SetCharacter(p.slave, VMIN, 3);
  Type(p, "ab");
  Record("events", Events(p.slave) & POLLIN);
  Type(p, "c");
  Record("events", Events(p.slave) & POLLIN);
  char b[16];
  T(read(p.slave, b, 16));
  Type(p, "defg");
  T(read(p.slave, b, 2));
  T(read(p.slave, b, 2));
}
CASE(tty_minimum_and_nonblocking) {
  const Pair p = OpenRaw();
  SetCharacter(p.slave, VMIN, 3);
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  char b[16];
  T(read(p.slave, b, 16));
  Type(p, "ab");
  SleepMs(20);
  T(read(p.slave, b, 16));
}
CASE(tty_no_minimum_no_time) {
  const Pair p = OpenRaw();
  SetCharacter(p.slave, VMIN, 0);
  char b[16];
  T(read(p.slave, b, 16));
  Type(p, "ab");
  SleepMs(20);
  T(read(p.slave, b, 16));
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  T(read(p.slave, b, 16));
}
CASE(tty_time_without_minimum) {
  const Pair p = OpenRaw();
  SetCharacter(p.slave, VMIN, 0);
  SetCharacter(p.slave, VTIME, 2);
  char b[16];
  const long long begun = NowMs();
  T(read(p.slave, b, 16));
  Record("waited", NowMs() - begun >= 150);
  Type(p, "x");
  T(read(p.slave, b, 16));
}
CASE(tty_time_between_bytes) {
  const Pair p = OpenRaw();
  SetCharacter(p.slave, VMIN, 10);
  SetCharacter(p.slave, VTIME, 2);
  Type(p, "abc");
  char b[16];
  const long long begun = NowMs();
  T(read(p.slave, b, 16));
  Record("waited", NowMs() - begun >= 150);
}
CASE(tty_canonical_to_raw) {
  const Pair p = Open();
  Type(p, "part");
  SleepMs(20);
  Record("queued", Queued(p.slave));
  Change(p.slave, {0, ICANON});
  Record("queued", Queued(p.slave));
  Record("read", Available(p.slave));
}
CASE(tty_raw_to_canonical) {
  const Pair p = OpenRaw();
  Type(p, "part");
  SleepMs(20);
  Change(p.slave, {ICANON, 0});
  Record("events", Events(p.slave) & POLLIN);
  Record("read", Available(p.slave));
  Dialogue(p, "x\n");
}
CASE(tty_end_of_file_seen_raw) {
  const Pair p = Open();
  Type(p, "ab\004");
  SleepMs(20);
  Change(p.slave, {0, ICANON});
  Record("read", Available(p.slave));
}
CASE(tty_zero_reads) {
  const Pair p = Open();
  char b[4];
  T(read(p.slave, b, 0));
  T(read(p.master, b, 0));
  T(write(p.slave, b, 0));
  T(write(p.master, b, 0));
}
CASE(tty_nonblocking) {
  const Pair p = Open();
  fcntl(p.slave, F_SETFL, O_NONBLOCK);
  fcntl(p.master, F_SETFL, O_NONBLOCK);
  char b[4];
  T(read(p.slave, b, 4));
  T(read(p.master, b, 4));
}
