/* What goes in and out. */
#include "checks.h"

/* After a reset the same comes again. */
void check_reset(void) {
  host *h = host_open(48000, 512);
  int count[2];
  for (int round = 0; round < 2; round++) {
    int first = h->note_count;
    int64_t from = h->played;
    for (int i = 0; i < 800; i++) host_run(h, 512);
    count[round] = h->note_count - first;
    for (int i = 0; round == 1 && i < count[0] && i < count[1]; i++) {
      note a = h->notes[i], b = h->notes[first + i];
      CHECK(llabs(a.frame - (b.frame - from)) <= 1 && a.key == b.key, "note %d", i);
    }
    host_reset(h);
    host_set(h, 0, "Enabled", 1);
    if (round == 0) { /* ends go out in a block that is not counted */
      int kept = h->note_count;
      host_set(h, 0, "Enabled", 0);
      host_run(h, 1);
      host_reset(h);
      h->note_count = kept;
      host_set(h, 0, "Enabled", 1);
    }
  }
  CHECK(count[0] > 20, "%d", count[0]);
  end_checked(h);
}

void check_wildcards(void) {
  host *h = host_open(48000, 512);
  host_set(h, 0, "Mode", 1);
  host_set(h, 0, "Thru", 1);
  host_run(h, 512);
  host_note(h, 0, CLAP_EVENT_NOTE_ON, 0, 60, 1, 0.5);
  host_note(h, 9, CLAP_EVENT_NOTE_ON, 0, 64, 2, 0.5);
  host_note(h, 9, CLAP_EVENT_NOTE_ON, 3, 60, 3, 0.5);
  host_run(h, 512);
  CHECK(host_sounding(h) == 3, "%d", host_sounding(h));
  host_note(h, 0, CLAP_EVENT_NOTE_OFF, -1, 60, 3, 0); /* by its id */
  host_run(h, 512);
  CHECK(host_sounding(h) == 2 && h->sounding[3][60] == 0, "%d", host_sounding(h));
  host_note(h, 0, CLAP_EVENT_NOTE_CHOKE, 0, -1, -1, 0);
  host_run(h, 512);
  CHECK(host_sounding(h) == 0, "%d", host_sounding(h));
  h->allows_doubles = true;
  host_note(h, 0, CLAP_EVENT_NOTE_ON, 0, 60, 4, 0.5); /* one over the other */
  host_note(h, 5, CLAP_EVENT_NOTE_ON, 0, 60, 5, 0.5);
  host_note(h, 6, CLAP_EVENT_NOTE_OFF, 0, 60, 4, 0);
  host_run(h, 512);
  CHECK(h->sounding[0][60] == 1, "the second sounds");
  host_note(h, 6, CLAP_EVENT_NOTE_OFF, 0, 60, 5, 0);
  host_run(h, 512);
  CHECK(host_sounding(h) == 0, "%d", host_sounding(h));
  end_checked(h);
}

void check_dialects(void) {
  for (uint32_t dialects = 0; dialects < 4; dialects++) {
    host *h = host_new();
    h->dialects = dialects;
    h->has_dialects = dialects != 0;
    host_init(h);
    host_activate(h, 48000, 512);
    host_start(h);
    for (int i = 0; i < 400; i++) host_run(h, 512);
    CHECK(h->note_count > 4, "%d", h->note_count);
    CHECK(h->raw_count == (dialects == CLAP_NOTE_DIALECT_MIDI ? h->note_count : 0), "%d of %d", h->raw_count, h->note_count);
    end_checked(h);
  }
}

/* A host whose queue is full: notes may be lost, ends come later. */
void check_full_host(void) {
  host *h = host_open(48000, 512);
  host_set(h, 0, "Model", 2);
  for (int i = 0; i < 3000; i++) {
    h->room = (int)(host_random() % 3);
    host_run(h, 512);
  }
  CHECK(h->note_count > 20, "%d", h->note_count);
  end_checked(h);
}

/* The transport starts, stops and jumps at frames within a block. */
void check_transport_in_blocks(void) {
  host *h = host_open(48000, 8192);
  clap_event_transport_t t;
  host_set(h, 0, "Model", 2); /* chords from the first beat on */
  h->has_transport = true;
  h->transport = host_song(0, 120, false);
  host_run(h, 8192);
  CHECK(h->note_count == 0, "%d notes while the song stands", h->note_count);
  int64_t begin = h->played + 1234, stop = begin + 48000 + 77;
  h->transport = host_song(0, 120, false);
  t = host_song(0, 120, true);
  t.header.time = 1234;
  host_add(h, &t);
  host_run(h, 8192);
  while (h->played + 8192 < stop) {
    h->transport = host_song((double)(h->played - begin) / 24000, 120, true);
    host_run(h, 8192);
  }
  h->transport = host_song((double)(h->played - begin) / 24000, 120, true);
  t = host_song((double)(stop - begin) / 24000, 120, false);
  t.header.time = (uint32_t)(stop - h->played);
  host_add(h, &t);
  host_run(h, 8192);
  CHECK(h->note_count > 8 && h->notes[0].frame == begin, "the first note is at %lld, not %lld",
        (long long)h->notes[0].frame, (long long)begin);
  CHECK(host_sounding(h) == 0 && h->notes[h->note_count - 1].frame == stop, "the last end is at %lld, not %lld",
        (long long)h->notes[h->note_count - 1].frame, (long long)stop);
  /* A loop of two bars, each round in the same frames of it. */
  int first[4], count = 0;
  h->transport = host_song(0, 120, false);
  host_run(h, 8192);
  for (int round = 0; round < 3; round++) {
    first[round] = h->note_count;
    host_play(h, 192000, 1000, 8, 120);
  }
  h->transport = host_song(0, 120, false);
  host_run(h, 8192);
  for (int i = first[1], k = first[2]; i < first[2] && k < h->note_count; i++, k++, count++)
    CHECK(h->notes[i].key == h->notes[k].key && h->notes[i].frame + 192000 == h->notes[k].frame, "event %d of the loop", count);
  CHECK(count > 20, "%d", count);
  end_checked(h);
}

/* The old model's notes end when the new one comes, which plays on from the same place. */
void check_models(void) {
  host *h = host_open(48000, 512);
  double quarter = 0;
  for (int i = 0; i < 40; i++) {
    int before = h->note_count; /* of drums a whole bar may be a rest */
    quarter = host_play(h, 60000 + (int64_t)(host_random() % 9000), 512, quarter, 120);
    CHECK(i % 5 == 0 || h->note_count > before, "model %d plays at %g", i, quarter);
    if (i % 10 == 9) quarter = i; /* back, or where it has never been */
    host_set(h, 100, "Model", (double)(i % 5));
    quarter = host_play(h, 512, 512, quarter, 120);
    host_set(h, 0, "Enabled", 0); /* the ends of its notes are all there is */
    quarter = host_play(h, 512, 512, quarter, 120);
    CHECK(host_sounding(h) == 0, "%d notes of the old model sound", host_sounding(h));
    host_set(h, 0, "Enabled", 1);
  }
  end_checked(h);
  /* Far in the song it plays at once, and what it had played there from the beginning on. */
  host *whole = host_open(48000, 512);
  h = host_open(48000, 512);
  host_set(whole, 0, "Model", 2);
  quarter = host_play(whole, 100 * 24000, 512, 0, 120);
  host_play(h, 80 * 24000, 512, 0, 120);
  int64_t from = h->played + 1024;
  host_set(h, 0, "Model", 2);
  host_play(h, 20 * 24000, 512, 80, 120);
  int i = 0, k = 0, same = 0;
  while (i < whole->note_count && whole->notes[i].frame < from) i++;
  while (k < h->note_count && h->notes[k].frame < from) k++;
  for (; i < whole->note_count && k < h->note_count; i++) {
    if (whole->notes[i].velocity == 0) continue;
    while (k < h->note_count && h->notes[k].velocity == 0) k++;
    CHECK(h->notes[k].frame == whole->notes[i].frame && h->notes[k].key == whole->notes[i].key, "note %d", same);
    k++;
    same++;
  }
  CHECK(same > 20, "%d", same);
  end_checked(h);
  end_checked(whole);
}
