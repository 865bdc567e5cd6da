/* What the test programs share: checks that go on after a failure, and say where it was. */
#ifndef CHECK_H
#define CHECK_H

#include <libretto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef CHECK_IN_PARTS /* by a program of several files; the one with main defines it */
extern int check_failures;
#else
static int check_failures;
#endif

static inline void check_failed(const char *file, int line, const char *what) {
  if (++check_failures <= 40)
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
}

#define CHECK(condition)                                                                   \
  do {                                                                                     \
    if (!(condition))                                                                      \
      check_failed(__FILE__, __LINE__, #condition);                                        \
  } while (0)

static inline void check_status(const char *file, int line, const char *call,
                                retto_status expected, retto_status status) {
  char text[2048];
  if (status == expected)
    return;
  snprintf(text, sizeof text, "%s: %s instead of %s (last error: %s)", call,
           retto_status_name(status), retto_status_name(expected), retto_last_error());
  check_failed(file, line, text);
}

/* The call ends with this status. */
#define GIVES(status, call) check_status(__FILE__, __LINE__, #call, status, call)
#define OK(call) GIVES(RETTO_OK, call)

/* The same for calls without which nothing that follows makes sense. */
#define MUST(call)                                                                         \
  do {                                                                                     \
    retto_status must_status = (call);                                                     \
    if (must_status) {                                                                     \
      check_status(__FILE__, __LINE__, #call, RETTO_OK, must_status);                      \
      exit(1);                                                                             \
    }                                                                                      \
  } while (0)

/* Whether a tool that makes everything slow, or needs memory of its own, runs this. */
static inline int under_tool(void) {
  const char *tool = getenv("CHOST_TOOL");
  return tool && *tool;
}

/* What main returns. */
static inline int check_result(void) {
  if (check_failures)
    fprintf(stderr, "%d failures\n", check_failures);
  return check_failures != 0;
}

#endif
