/* MIDI files through the C API: to memory and back, and what is told of damaged ones. */
#include "check.h"

/* Two quarter notes of one key, the first without a note-off. */
static const unsigned char damaged[] = {
    'M', 'T',  'h', 'd', 0,  0,    0,  6,  0, 0,    0,  1, 0,    96,  'M', 'T', 'r', 'k', 0,
    0,   0,    18,  0,   0x90, 60, 90, 96, 60, 80,  96, 60, 0,   0,   0xB0, 64,  0,   0,   0xFF,
    0x2F, 0,
};

static void to_memory(const retto_midi *midi) {
  unsigned char bytes[200];
  size_t size = 0, again = 0;
  OK(retto_midi_write_memory(midi, NULL, 0, &size));
  CHECK(size > 40 && size < sizeof bytes);
  memset(bytes, 0x55, sizeof bytes);
  GIVES(RETTO_ERROR_BUFFER, retto_midi_write_memory(midi, bytes, size - 1, &again));
  CHECK(again == size && bytes[0] == 0x55);
  OK(retto_midi_write_memory(midi, bytes, size, &again));
  CHECK(again == size && memcmp(bytes, "MThd", 4) == 0 && bytes[size] == 0x55);
  OK(retto_midi_write_memory(midi, bytes, sizeof bytes, NULL));

  /* The same as in a file, and it is read as what it was. */
  unsigned char file[200];
  OK(retto_midi_write(midi, "written.mid"));
  FILE *stream = fopen("written.mid", "rb");
  CHECK(stream && fread(file, 1, sizeof file, stream) == size && memcmp(file, bytes, size) == 0);
  if (stream)
    fclose(stream);
  retto_midi *read = NULL;
  MUST(retto_midi_read_memory(bytes, size, &read));
  OK(retto_midi_write_memory(read, file, sizeof file, &again));
  CHECK(again == size && memcmp(file, bytes, size) == 0);
  retto_midi_free(read);

  GIVES(RETTO_ERROR_ARGUMENT, retto_midi_write_memory(NULL, bytes, sizeof bytes, &size));
  GIVES(RETTO_ERROR_ARGUMENT, retto_midi_write_memory(midi, NULL, 10, &size));
  GIVES(RETTO_ERROR_ARGUMENT, retto_midi_write_memory(midi, NULL, 0, NULL));
  GIVES(RETTO_ERROR_ARGUMENT, retto_midi_write_memory(midi, bytes, (size_t)-1, &size));
}

static void what_is_mended(void) {
  retto_midi *midi = NULL;
  retto_event events[8];
  size_t count = 0, length = 0;
  char text[500] = "";
  MUST(retto_midi_read_memory(damaged, sizeof damaged, &midi));
  OK(retto_midi_get_events(midi, events, 8, &count));
  CHECK(count == 5 && events[4].kind == RETTO_EVENT_END);
  CHECK(events[1].delta == 96 && events[1].kind == RETTO_EVENT_NOTE_ON);
  CHECK(events[2].delta == 96 && events[2].kind == RETTO_EVENT_NOTE_OFF);
  OK(retto_midi_get_warnings(midi, text, sizeof text, &length));
  CHECK(length == strlen(text) + 1 && strstr(text, "byte 14: ") == text);
  CHECK(strstr(text, "note-off") && strchr(text, '\n') == text + length - 2);
  size_t again = 0;
  GIVES(RETTO_ERROR_BUFFER, retto_midi_get_warnings(midi, text, length - 1, &again));
  CHECK(again == length);
  retto_midi_free(midi);
}

int main(void) {
  retto_event events[] = {
      {0, RETTO_EVENT_TIME_SIGNATURE, 0, 3, 4}, {0, RETTO_EVENT_NOTE_ON, 2, 60, 90},
      {480, RETTO_EVENT_NOTE_OFF, 2, 60, 0},    {480, RETTO_EVENT_END, 0, 0, 0},
  };
  retto_midi *midi = NULL;
  MUST(retto_midi_create(events, 4, 480, 100.0, &midi));
  to_memory(midi);
  retto_midi_free(midi);
  what_is_mended();
  return check_result();
}
