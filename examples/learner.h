/* learner.h - a model learns from what is played, in a thread of its own, while a session plays with it. */
#ifndef LEARNER_H
#define LEARNER_H

#include <libretto.h>
#include <stdbool.h>

typedef struct learner learner;

/* Starts the thread, which blocks the signals the caller blocks. NULL if there is no memory for it. */
learner *learner_start(const retto_model *model);

/* Hands the thread what the session read since the last call. What was fed is learned from, and what was drawn is
 * read only. Does not wait. */
void learner_hear(learner *learner, retto_session *session);

/* Lets the session go on with what was learned meanwhile, if there is news; false if there is none. Does not wait. */
bool learner_use(learner *learner, retto_session *session);

/* Forgets all that was learned, from the next learner_use on. */
void learner_forget(learner *learner);

/* How many tokens were learned from, and their mean loss before that, in nats. */
void learner_loss(learner *learner, double *loss, uint64_t *count);

/* Ends the thread. The session may go on. */
void learner_stop(learner *learner);

#endif
