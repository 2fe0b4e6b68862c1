// Job control: signals from the terminal.
#include <sys/ioctl.h>
#include <termios.h>

#include <string>

#include "test/guest/jobs.h"

using namespace guest;

CASE(job_interrupt_character) {
  Told([](const Pair& p, const Report& r) {
    const pid_t child = Job(p, true, [] {
      pause();
      return 0;
    });
    SleepMs(30);
    MUST(write(p.master, "\003", 1));
    r.Add(Change(child));
    const pid_t second = Job(p, true, [] {
      pause();
      return 0;
    });
    SleepMs(30);
    MUST(write(p.master, "\034", 1));
    int status;
    waitpid(second, &status, 0);
    r.Add(std::to_string(WTERMSIG(status)));
  });
}
CASE(job_stop_character_and_continue) {
  Told([](const Pair& p, const Report& r) {
    const pid_t child = Job(p, true, [] {
      pause();
      return 0;
    });
    SleepMs(30);
    MUST(write(p.master, "\032", 1));
    r.Add(Change(child));
    kill(child, SIGCONT);
    r.Add(Change(child));
    kill(child, SIGTERM);
    r.Add(Change(child));
  });
}
CASE(job_signals_reach_the_foreground_only) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    const pid_t child = Job(p, true, [] {
      pause();
      return 0;
    });
    SleepMs(30);
    MUST(write(p.master, "\003", 1));
    r.Add(Change(child));
    SleepMs(30);
    r.Add(std::to_string(signal_count));
  });
}
CASE(job_no_signals_without_isig) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    termios t;
    MUST(tcgetattr(p.slave, &t));
    t.c_lflag &= ~ISIG;
    MUST(tcsetattr(p.slave, TCSANOW, &t));
    MUST(write(p.master, "a\003\n", 3));
    char b[16] = {};
    r.Add(std::to_string(read(p.slave, b, 16)));
    r.Add(std::to_string(signal_count));
  });
}
CASE(job_interrupt_flushes_input) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    MUST(write(p.master, "lost\003kept\n", 10));
    SleepMs(30);
    char b[16] = {};
    const ssize_t count = read(p.slave, b, 16);
    r.Add(std::string(b, static_cast<size_t>(count)));
    r.Add(std::to_string(signal_count));
  });
}
CASE(job_interrupt_with_noflsh) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    termios t;
    MUST(tcgetattr(p.slave, &t));
    t.c_lflag |= NOFLSH;
    MUST(tcsetattr(p.slave, TCSANOW, &t));
    MUST(write(p.master, "kept\003too\n", 9));
    SleepMs(30);
    char b[16] = {};
    const ssize_t count = read(p.slave, b, 16);
    r.Add(std::string(b, static_cast<size_t>(count)));
    r.Add(std::to_string(signal_count));
  });
}
CASE(job_read_is_interrupted) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    const pid_t child = fork();
    if (child == 0) {
      SleepMs(60);
      MUST(write(p.master, "\003", 1));
      _exit(0);
    }
    char b[4];
    r.Add(Code(read(p.slave, b, 4)));
    r.Add(std::to_string(last_signal));
    waitpid(child, nullptr, 0);
  });
}
CASE(job_window_signal) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGWINCH);
    winsize size = {10, 20, 0, 0};
    r.Add(Code(ioctl(p.master, TIOCSWINSZ, &size)));
    SleepMs(20);
    r.Add(std::to_string(signal_count));
    r.Add(Code(ioctl(p.master, TIOCSWINSZ, &size)));
    SleepMs(20);
    r.Add(std::to_string(signal_count));
    size.ws_col = 30;
    r.Add(Code(ioctl(p.slave, TIOCSWINSZ, &size)));
    SleepMs(20);
    r.Add(std::to_string(signal_count));
  });
}
CASE(job_signal_request) {
  Told([](const Pair& p, const Report& r) {
    Catch(SIGINT);
    Catch(SIGTSTP);
    r.Add(Code(ioctl(p.master, TIOCSIG, SIGINT)));
    SleepMs(20);
    r.Add(std::to_string(last_signal));
    r.Add(Code(ioctl(p.master, TIOCSIG, SIGTSTP)));
    SleepMs(20);
    r.Add(std::to_string(last_signal));
    r.Add(Code(ioctl(p.master, TIOCSIG, SIGTERM)));
    r.Add(Code(ioctl(p.slave, TIOCSIG, SIGINT)));
  });
}
