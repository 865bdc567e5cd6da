/* The checks: each must leave `failures` as it is. */
#ifndef TESTS_CLAP_CHECKS_H
#define TESTS_CLAP_CHECKS_H

#include "host.h"

/* Stops the plugin, and closes the host when nothing sounds. */
void end_checked(host *h);
/* Some notes, sensible and not. */
void fuzz_notes(host *h, uint32_t frames, int most);

/* fuzz.c */
void check_parameter_fuzz(void);
void check_blocks(void);
void check_transport_fuzz(void);
void check_reset_and_reactivate(void);

/* notes.c */
void check_reset(void);
void check_wildcards(void);
void check_dialects(void);
void check_full_host(void);
void check_transport_in_blocks(void);
void check_models(void);

#endif
