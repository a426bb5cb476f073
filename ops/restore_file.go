package ops

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/klauspost/compress/zstd"

	"orderq/streamutil"
)

// backup is a backup file that was read to its end once: what is in it is what was
// written.
type backup struct {
	file   io.ReadSeeker
	about  aboutBackup
	counts backupCounts
	blocks int
	// damage is what is wrong behind the blocks; nil if nothing is.
	damage error
}

// openBackup reads a whole file and finds out whether it is sound. It is not: the error
// matches errDamaged, and there is a backup all the same, of what stands before the
// damage, if that is anything.
func openBackup(file io.ReadSeeker) (*backup, error) {
	b := &backup{file: file}
	for what, copies := range b.read(&b.damage) {
		b.counts.add(what, len(copies))
	}
	if b.blocks == 0 {
		if b.damage == nil {
			b.damage = fmt.Errorf("%w: there is nothing in it", errDamaged)
		}
		return nil, b.damage
	}
	return b, b.damage
}

// read goes through all blocks of the file but the first, which it keeps.
func (b *backup) read(fault *error) iter.Seq2[byte, []streamutil.Copy] {
	return func(yield func(byte, []streamutil.Copy) bool) {
		dec, err := newBlockDecoder()
		if err == nil {
			defer dec.Close()
			_, err = b.file.Seek(0, io.SeekStart)
		}
		if err != nil {
			*fault = err
			return
		}
		for blk, err := range blocksOf(b.file) {
			var copies []streamutil.Copy
			if err == nil {
				copies, err = b.understand(blk, dec)
			}
			if err != nil {
				*fault = err
				return
			}
			b.blocks++
			if blk.what != blockAbout && !yield(blk.what, copies) {
				return
			}
		}
	}
}

func (b *backup) understand(blk block, dec *zstd.Decoder) ([]streamutil.Copy, error) {
	lines, err := blk.unpack(dec)
	if err != nil {
		return nil, err
	}
	switch {
	case (b.blocks == 0) != (blk.what == blockAbout):
		return nil, fmt.Errorf("%w: its blocks are not in their order", errDamaged)
	case blk.what == blockAbout:
		return nil, b.begin(lines)
	case slices.Contains([]byte{blockUnfinished, blockDead, blockFinished}, blk.what):
		return readLines(lines)
	}
	return nil, fmt.Errorf("%w: nobody knows what block %q is", errDamaged, blk.what)
}

// begin reads the line about the file.
func (b *backup) begin(line []byte) error {
	if err := json.Unmarshal(line, &b.about); err != nil {
		return fmt.Errorf("%w: its first line is not understood", errDamaged)
	}
	if b.about.Format > backupFormat {
		return fmt.Errorf("a newer orderq has written it, in form %d; this one knows form %d: upgrade it", b.about.Format, backupFormat)
	}
	return nil
}

// orders goes through those of one kind, as far as the file is sound.
func (b *backup) orders(want byte) iter.Seq2[[]streamutil.Copy, error] {
	return func(yield func([]streamutil.Copy, error) bool) {
		again := &backup{file: b.file}
		var fault error
		for what, copies := range again.read(&fault) {
			if what == want && !yield(copies, nil) {
				return
			}
			if again.blocks == b.blocks {
				return
			}
		}
		if fault == nil && again.blocks < b.blocks {
			fault = errors.New("it is shorter than it was")
		}
		if fault != nil {
			yield(nil, fault)
		}
	}
}
