package main

import (
	"net"
	"slices"
	"strings"
)

// legacyNames are the variables of the list-based system. They count only
// where redis.addresses is set nowhere: whoever writes the new key has moved.
var legacyNames = []string{legacyHost, legacyPort, legacyPassword}

const (
	legacyHost     = "REDIS_HOST"
	legacyPort     = "REDIS_PORT"
	legacyPassword = "REDIS_PASSWORD"
)

func isLegacyName(name string) bool { return slices.Contains(legacyNames, name) }

// applyLegacy turns the legacy names into values of the layers they stand in,
// and notes those that do not count. In one layer the new name wins.
func applyLegacy(layers []*layer) (notes []string) {
	for _, l := range layers {
		if set, ok := l.origin["redis.addresses"]; ok {
			return ignoredLegacy(layers, set)
		}
	}
	applyLegacyAddress(layers)
	for _, l := range layers {
		password, ok := l.legacy[legacyPassword]
		if _, newer := l.origin["redis.password"]; ok && !newer {
			_ = l.values.Set("redis.password", password.value)
			l.origin["redis.password"] = l.legacyOrigin(password)
		}
	}
	return nil
}

// applyLegacyAddress makes one address of host and port, which may stand in
// different layers, and gives it to the higher one.
func applyLegacyAddress(layers []*layer) {
	host, port := "127.0.0.1", "6379"
	var at *layer
	var from origin
	for _, l := range layers {
		for _, name := range []string{legacyHost, legacyPort} {
			a, ok := l.legacy[name]
			// Docker's links set REDIS_PORT to a URL of their own.
			if !ok || a.value == "" || name == legacyPort && strings.HasPrefix(a.value, "tcp://") {
				continue
			}
			if name == legacyHost {
				host = strings.TrimSpace(a.value)
			} else {
				port = strings.TrimSpace(a.value)
			}
			at, from = l, joinOrigins(at == l, from, l.legacyOrigin(a), name)
		}
	}
	if at == nil {
		return
	}
	_ = at.values.Set("redis.addresses", []string{net.JoinHostPort(host, port)})
	at.origin["redis.addresses"] = from
}

// joinOrigins names both variables where both stand in one layer.
func joinOrigins(same bool, first, second origin, name string) origin {
	if !same {
		return second
	}
	second.label = first.label + ", " + name
	second.at = first.at + ", " + name
	return second
}

func ignoredLegacy(layers []*layer, set origin) (notes []string) {
	for _, l := range layers {
		for _, name := range legacyNames {
			if a, ok := l.legacy[name]; ok {
				notes = append(notes, l.legacyOrigin(a).where()+" does not count: redis.addresses is set ("+set.where()+")")
			}
		}
	}
	return notes
}
