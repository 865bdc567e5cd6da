/* terminal.h - signals, the keyboard and a status line. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>

/* Blocks the signals that end or stop a program; they are read from the descriptor that is returned
 * instead. Call it before the program starts threads. */
int open_signals(void);
/* The signal that came; 0 for none. */
int read_signal(int descriptor);

/* Waits for what comes from these descriptors or the keyboard, or only looks if `at_once`, and says from
 * which: the sum of these. In the background nothing comes from the keyboard. */
enum { FROM_PORT = 1, FROM_SIGNALS = 2, FROM_KEYBOARD = 4 };
unsigned wait_for_input(int port, int signals, bool at_once);
/* The key that was pressed; 0 for none, or one that is no letter. They come at once and unseen from the first
 * wait or status line on. */
int read_key(void);
void close_keyboard(void);

/* A line that is written over and over, cut to the terminal's width; shown on a terminal alone, and not in the
 * background. */
void show_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A line that stays. */
void show_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
