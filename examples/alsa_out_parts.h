/* What the files of alsa_out share, and no program needs. */
#ifndef ALSA_OUT_PARTS_H
#define ALSA_OUT_PARTS_H

#include "alsa_out.h"

enum { CHANNELS = 16, PITCHES = 128, MOST_PORTS = 16, NAME = 64 };

/* What the guardian must know. */
struct guarded {
  pid_t pid;
  int client;
  bool closed;
  bool used[CHANNELS];
  uint8_t count[CHANNELS][PITCHES];
  int ports;
  snd_seq_addr_t port[MOST_PORTS];
};

/* A port that was asked for, and where it was found. */
struct wanted {
  bool input, connected;
  snd_seq_addr_t address;
  char client[NAME], port[NAME];
};

struct alsa_out {
  snd_seq_t *seq;
  int client, out, in, monitor, queue;
  struct guarded *guarded;
  int lifeline; /* to the guardian */
  alsa_out_time time;
  unsigned tempo;     /* microseconds a quarter note */
  uint8_t generation; /* 1 to 255; tags notes and programs. Silence begins another */
  struct wanted wanted[MOST_PORTS];
  int wanted_count;
  alsa_out_stats stats;
  char error[256];
};

/* Keeps the sentence for alsa_out_message and gives -1. */
int alsa_out_say(alsa_out *out, const char *format, ...);

/* ---- alsa_out_guardian.c ---- */

int alsa_out_put(snd_seq_t *seq, snd_seq_event_t *event);
void alsa_out_end_notes(snd_seq_t *seq, int port, const snd_seq_addr_t *to,
                        uint8_t count[CHANNELS][PITCHES]);
void alsa_out_end_notes_at(snd_seq_t *seq, int port, snd_seq_addr_t to, struct guarded *guarded,
                           bool end);
void alsa_out_end_channels(snd_seq_t *seq, int port, const snd_seq_addr_t *to,
                           const bool used[CHANNELS]);
int alsa_out_start_guardian(alsa_out *out);
bool alsa_out_hear_guardian(const alsa_out *out);

/* ---- alsa_out_ports.c ---- */

/* Takes an announcement of the system; whether there is news for the person who plays. */
bool alsa_out_hear_announcement(alsa_out *out, const snd_seq_event_t *event);

#endif
