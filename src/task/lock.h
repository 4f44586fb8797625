/* SPDX-License-Identifier: MIT */
#ifndef CEL__LOCK_H
#define CEL__LOCK_H

#include "celadon/sync.h"

/* (parks) Takes the lock whatever the scopes around want. */
void cel__lock_take_back(struct cel_lock *lock);

#endif
