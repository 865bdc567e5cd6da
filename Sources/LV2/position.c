#include "plugin.h"
#include <lv2/time/time.h>
#include <math.h>

static double number(const urids *u, const LV2_Atom *a) {
  if (!a) return NAN;
  if (a->type == u->atom_int && a->size == sizeof(int32_t)) return ((const LV2_Atom_Int *)a)->body;
  if (a->type == u->atom_long && a->size == sizeof(int64_t)) return (double)((const LV2_Atom_Long *)a)->body;
  if (a->type == u->atom_float && a->size == sizeof(float)) return (double)((const LV2_Atom_Float *)a)->body;
  if (a->type == u->atom_double && a->size == sizeof(double)) return ((const LV2_Atom_Double *)a)->body;
  return NAN;
}

static bool is_near(double a, double b) { return fabs(a - b) < 0.05 * b; }

instance_position position_read(position_reader *r, const urids *u, const LV2_Atom_Object *object, int64_t frame) {
  const LV2_Atom *speed = NULL, *tempo = NULL, *beat = NULL, *bar = NULL, *bar_beat = NULL, *unit = NULL,
                 *per_bar = NULL, *at = NULL;
  lv2_atom_object_get(object, u->time_speed, &speed, u->time_tempo, &tempo, u->time_beat, &beat, u->time_bar, &bar,
                      u->time_bar_beat, &bar_beat, u->time_unit, &unit, u->time_per_bar, &per_bar, u->time_frame, &at, 0);
  instance_position p = {.tempo = number(u, tempo), .speed = number(u, speed), .quarter = NAN, .bar = NAN};
  double new_unit = number(u, unit), new_per_bar = number(u, per_bar);
  if (new_unit >= 1 && new_unit <= 64) r->unit = new_unit;
  if (new_per_bar > 0 && new_per_bar < 100) r->per_bar = new_per_bar;
  double quarters = r->unit > 0 ? 4 / r->unit : 1; /* in a beat */
  double beats = number(u, beat), bars = number(u, bar), in_bar = number(u, bar_beat);
  if (!isfinite(beats) && isfinite(bars) && isfinite(in_bar) && r->per_bar > 0) beats = bars * r->per_bar + in_bar;
  if (isfinite(beats)) {
    p.quarter = beats * quarters;
    if (isfinite(in_bar)) p.bar = (beats - in_bar) * quarters;
  }
  if (r->per_bar > 0 && r->per_bar == floor(r->per_bar)) p.numerator = (int)r->per_bar, p.denominator = (int)r->unit;

  if (isfinite(p.tempo) && quarters != 1) {
    double measured = r->rolled && frame > r->frame ? (p.quarter - r->quarter) / (double)(frame - r->frame) * r->rate * 60
                                                    : NAN;
    if (is_near(measured, p.tempo)) r->counts_beats = false;
    if (is_near(measured, p.tempo * quarters)) r->counts_beats = true;
    if (r->counts_beats) p.tempo *= quarters;
  }
  /* A host may know its frame alone. */
  double frames = number(u, at);
  if (!isfinite(p.quarter) && isfinite(frames) && isfinite(p.tempo)) p.quarter = frames / r->rate * p.tempo / 60;
  r->rolled = p.speed == 1 && isfinite(p.quarter);
  r->quarter = p.quarter;
  r->frame = frame;
  return p;
}
