package main

import (
	"reflect"
	"strings"

	"go.uber.org/zap"
)

// reloading is how a running service takes over a changed configuration.
type reloading struct {
	load func() (*loaded, error)
	// apply holds what can change while the service runs, by key.
	apply map[string]func(*loaded) error
}

// reload reads the configuration again. What can be applied is; what needs a
// restart is named. A bad configuration changes nothing.
func (s *service) reload() {
	s.tellReloading()
	s.log.reopen()
	now, err := s.reloading.load()
	if err != nil {
		s.log.Error("the configuration was not reloaded; the settings of before stay in force", zap.Strings("faults", strings.Split(err.Error(), "\n")))
		s.reloadFault.Store(true)
		s.tellReady(s.standing())
		return
	}
	s.reloadFault.Store(false)
	var applied, waiting []string
	for _, key := range changedKeys(&s.cfg.Config, &now.Config) {
		apply, can := s.reloading.apply[key]
		if !can {
			waiting = append(waiting, key)
			continue
		}
		if err := apply(now); err != nil {
			s.log.Error("a setting could not be applied", zap.String("key", key), zap.Error(err))
			continue
		}
		applied = append(applied, key)
	}
	s.log.Info("configuration reloaded", zap.Strings("applied", applied), zap.Strings("after_a_restart", waiting))
	s.tellReady(s.standing())
}

// changedKeys names the keys whose values differ.
func changedKeys(before, after *Config) (keys []string) {
	now := leaves(after)
	for i, l := range leaves(before) {
		if !reflect.DeepEqual(l.field.Interface(), now[i].field.Interface()) {
			keys = append(keys, l.key)
		}
	}
	return keys
}

// applyLevel puts a new log.level in force.
func (s *service) applyLevel(now *loaded) error {
	if err := s.log.level.UnmarshalText([]byte(now.Log.Level)); err != nil {
		return err
	}
	s.cfg.Log.Level = now.Log.Level
	return nil
}
