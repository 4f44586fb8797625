/* SPDX-License-Identifier: MIT */
#ifndef CEL__FILES_H
#define CEL__FILES_H

struct cel_server;

/* Closes the folders of cel_route_files. */
void cel__files_fini(struct cel_server *server);

#endif
