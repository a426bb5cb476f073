// Package embedded is a Redis inside the process, for trying orderq on a
// machine that has none. It is miniredis, made to answer what our scripts ask;
// every exception that this needs is in hook.go.
//
// It keeps everything in memory and loses it at the end. Nothing but
// "orderq dev" and this package's tests may use it: promises are tested on a
// real Redis.
package embedded
