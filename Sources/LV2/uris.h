/* The names by which hosts keep settings of the plugin; they never change. */
#ifndef LIBRETTO_LV2_URIS_H
#define LIBRETTO_LV2_URIS_H

#define LIBRETTO_URI "urn:libretto:lv2"
#define LIBRETTO_MODEL LIBRETTO_URI "#model" /* a file */
#define LIBRETTO_NAME LIBRETTO_URI "#name"   /* a model that is installed, by name */

#define LIBRETTO_FIRST_MODEL "folk" /* until another is chosen */

/* Ports. The parameters come in between. */
enum { PORT_IN, PORT_OUT, PORT_PARAMETERS };

#endif
