/* save.h - an instance is saved and goes on elsewhere, and what a plugin does that is stopped and started again. */
#ifndef LIBRETTO_INSTANCE_SAVE_H
#define LIBRETTO_INSTANCE_SAVE_H

#include "instance.h"

/* ---- Saving: between two blocks, and on no thread of audio ---- */

/* Writes what it needs to go on as it does now to `buffer`: settings, time, and the place in the music. Returns the
 * number of bytes; nothing was written if that is more than `capacity`. 0 without a voice. */
size_t instance_save(instance *i, void *buffer, size_t capacity);

/* Makes it the one that was saved, whose voice was of the same model. What it played is ended in the next block. False
 * if the bytes are damaged or of another model; nothing has changed then. */
bool instance_restore(instance *i, const void *saved, size_t size);

/* The first block after that has this position, or NULL where the host says none. If the song does not go on from where
 * it was, the keys that were held when it was saved count as released: nobody will release them. [audio] */
void instance_resume(instance *i, const instance_position *position);

/* ---- Between two blocks ---- */

/* What instance_reset does, and what was played is forgotten: it begins as it did at first. [audio] */
void instance_forget(instance *i);

/* Another sample rate; time goes on. [audio] */
void instance_set_rate(instance *i, double rate);

/* What sounds of another one, whose place this takes, is ended in the next block. [audio] */
void instance_inherit(instance *i, const instance *old);

#endif
