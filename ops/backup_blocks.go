package ops

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/klauspost/compress/zstd"
)

// A backup file is a row of blocks. Each is a skippable frame (RFC 8878, 3.1.2), which
// says what the block holds, how long it is, and a SHA-256 over the sum of the block
// before, this frame itself and what follows; and a frame of zstd with lines of JSON.
// The last block has no lines. So every zstd can read such a file, and no bit of it
// can change, and nothing of it be missing, unnoticed.
const (
	blockMagic  = 0x184D2A50
	blockFields = 1 + 4 + sha256.Size // what, length, sum
	blockHead   = 8 + blockFields
	// blockMost bounds what a block may be unpacked to. It is a page of a few MiB, or a
	// single order: a hand may have made one of 512 MiB, the most that Redis takes.
	blockMost = 4<<30 - 1
)

// What a block holds.
const (
	blockAbout      = 'A' // one line about the file
	blockUnfinished = 'U'
	blockDead       = 'D'
	blockFinished   = 'F'
	blockEnd        = 'E'
)

// errDamaged: the file is not what was written.
var errDamaged = errors.New("damaged")

// blockWriter writes blocks. An end is written with each, and the next block takes its
// place: so the file is whole between any two blocks.
type blockWriter struct {
	file *os.File
	enc  *zstd.Encoder
	// Where the next block begins, and the sum of the one before it.
	at  int64
	sum [sha256.Size]byte
}

func newBlockWriter(file *os.File) (*blockWriter, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	return &blockWriter{file: file, enc: enc}, err
}

// put appends a block. If that fails, as on a full disk, the file is as it was.
func (w *blockWriter) put(what byte, lines []byte) error {
	block, sum := packed(w.sum, what, w.enc.EncodeAll(lines, nil))
	end, _ := packed(sum, blockEnd, nil)
	if _, err := w.file.WriteAt(append(block, end...), w.at); err != nil {
		return fmt.Errorf("write the backup: %w", errors.Join(err, w.endHere()))
	}
	w.at, w.sum = w.at+int64(len(block)), sum
	return nil
}

// endHere takes away what a write has left behind the last whole block.
func (w *blockWriter) endHere() error {
	if w.at == 0 {
		return nil
	}
	end, _ := packed(w.sum, blockEnd, nil)
	if _, err := w.file.WriteAt(end, w.at); err != nil {
		return err
	}
	return w.file.Truncate(w.at + int64(len(end)))
}

// sync comes back when all is on the disk.
func (w *blockWriter) sync() error {
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("write the backup to the disk: %w", err)
	}
	return nil
}

func packed(before [sha256.Size]byte, what byte, frame []byte) ([]byte, [sha256.Size]byte) {
	b := make([]byte, 0, blockHead+len(frame))
	b = binary.LittleEndian.AppendUint32(b, blockMagic)
	b = binary.LittleEndian.AppendUint32(b, blockFields)
	b = append(b, what)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(frame)))
	sum := blockSum(before, b, frame)
	return append(append(b, sum[:]...), frame...), sum
}

func blockSum(before [sha256.Size]byte, head, frame []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write(before[:])
	h.Write(head)
	h.Write(frame)
	return [sha256.Size]byte(h.Sum(sum[:0]))
}

// block is one as it was read, and found to be what was written.
type block struct {
	what  byte
	frame []byte
}

// unpack gives its lines.
func (b block) unpack(dec *zstd.Decoder) ([]byte, error) {
	lines, err := dec.DecodeAll(b.frame, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return lines, nil
}

func newBlockDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(blockMost))
}

// blocksOf reads the blocks of a file, the end not among them. The error, if there is
// one, is the last thing it gives, and matches errDamaged unless the file cannot be read.
func blocksOf(r io.Reader) iter.Seq2[block, error] {
	return func(yield func(block, error) bool) {
		read := &blockReader{r: bufio.NewReaderSize(r, 1<<16)}
		for {
			b, err := read.next()
			if err == nil && b.what == blockEnd {
				err = read.end()
				if err == nil {
					return
				}
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

type blockReader struct {
	r   *bufio.Reader
	at  int64
	sum [sha256.Size]byte
}

func (b *blockReader) next() (block, error) {
	var head [blockHead]byte
	if _, err := io.ReadFull(b.r, head[:]); err != nil {
		return block{}, b.fault(err)
	}
	if binary.LittleEndian.Uint32(head[:]) != blockMagic || binary.LittleEndian.Uint32(head[4:]) != blockFields {
		return block{}, b.fault(errors.New("this is no block of a backup"))
	}
	length := int64(binary.LittleEndian.Uint32(head[9:]))
	if length > blockMost {
		return block{}, b.fault(errors.New("the block is longer than any"))
	}
	frame, err := io.ReadAll(io.LimitReader(b.r, length)) // grows as it reads: the length may be a wrong one
	if err == nil && int64(len(frame)) < length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return block{}, b.fault(err)
	}
	sum := blockSum(b.sum, head[:blockHead-sha256.Size], frame)
	if sum != [sha256.Size]byte(head[blockHead-sha256.Size:]) {
		return block{}, b.fault(errors.New("the checksum does not fit"))
	}
	b.sum = sum
	b.at += blockHead + length
	return block{what: head[8], frame: frame}, nil
}

// end wants nothing behind the end.
func (b *blockReader) end() error {
	switch _, err := b.r.ReadByte(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return b.fault(errors.New("there is something behind its end"))
}

func (b *blockReader) fault(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it was cut off (the block at byte %d is not whole)", errDamaged, b.at)
	case errors.As(err, new(*os.PathError)):
		return err
	}
	return fmt.Errorf("%w at byte %d: %w", errDamaged, b.at, err)
}
