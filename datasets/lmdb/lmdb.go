// Package lmdb reads Caffe's image databases: files of LMDB whose values are Datum
// messages. It only reads, needs no lock file and no mapping of memory, and checks
// every page number and length, since a database that was copied while it was
// written, or cut off, must not give wrong pictures.
//
// Databases of 64-bit little-endian machines are read, of one unnamed database
// without duplicate keys, which is all that Caffe writes. Non-goals: writing, and
// snapshots while another program writes.
package lmdb

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The numbers of LMDB's file format (mdb.c: MDB_page, MDB_meta, MDB_db, MDB_node).
const (
	magic   = 0xBEEFC0DE
	version = 1

	pageHeader = 16 // pgno 8, pad 2, flags 2, lower 2, upper 2
	nodeHeader = 8  // lo 2, hi 2, flags 2, key size 2
	metaSize   = 24 + 2*dbSize + 16
	dbSize     = 48 // pad 4, flags 2, depth 2, branch, leaf, overflow pages, entries, root 8 each

	pageBranch, pageLeaf, pageOverflow, pageMeta = 0x01, 0x02, 0x04, 0x08
	nodeBig, nodeSub, nodeDup                    = 0x01, 0x02, 0x04
	dbDupSort                                    = 0x04

	noPage   = ^uint64(0)
	maxDepth = 32
)

// DB is an open database. Safe for concurrent use if its reader is.
type DB struct {
	file  string
	r     io.ReaderAt
	size  int64
	page  int64 // bytes of a page
	root  uint64
	count uint64
}

// Item is one key, and where its value lies.
type Item struct {
	Key  string
	at   int64
	size int64
}

// Open reads the header of a database of size bytes; file names it in errors.
func Open(file string, r io.ReaderAt, size int64) (*DB, error) {
	d := &DB{file: file, r: r, size: size}
	first, err := d.read(0, pageHeader+metaSize)
	if err != nil {
		return nil, err
	}
	if got := binary.LittleEndian.Uint32(first[pageHeader:]); got != magic {
		return nil, d.bad("%#08x is where LMDB's magic number %#08x was expected; this is no LMDB database of a little-endian machine", got, uint32(magic))
	}
	d.page = int64(binary.LittleEndian.Uint32(first[pageHeader+24:]))
	if d.page < 256 || d.page > 1<<16 || d.page&(d.page-1) != 0 {
		return nil, d.bad("the page size is %d; powers of two from 256 to 65536 are possible", d.page)
	}
	second, err := d.read(d.page, pageHeader+metaSize)
	if err != nil {
		return nil, err
	}
	best := -1
	var newest uint64
	metas := [][]byte{first[pageHeader:], second[pageHeader:]}
	for i, m := range metas {
		txn := binary.LittleEndian.Uint64(m[24+2*dbSize+8:])
		if binary.LittleEndian.Uint32(m) == magic && (best < 0 || txn > newest) {
			best, newest = i, txn
		}
	}
	return d, d.meta(metas[best])
}

// meta reads what the newest meta page says of the main database.
func (d *DB) meta(m []byte) error {
	if v := binary.LittleEndian.Uint32(m[4:]); v != version {
		return d.bad("the format has version %d; %d is read", v, version)
	}
	main := m[24+dbSize:]
	if flags := binary.LittleEndian.Uint16(main[4:]); flags&dbDupSort != 0 {
		return d.bad("the database allows several values a key, which Caffe's do not")
	}
	d.count, d.root = binary.LittleEndian.Uint64(main[32:]), binary.LittleEndian.Uint64(main[40:])
	return nil
}

func (d *DB) bad(format string, args ...any) error {
	return fmt.Errorf("%s: %s", d.file, fmt.Sprintf(format, args...))
}

// read is n bytes at an offset.
func (d *DB) read(at int64, n int) ([]byte, error) {
	if at < 0 || at > d.size || int64(n) > d.size-at {
		return nil, d.bad("%d bytes were expected at byte %d, but the file has %d; it is cut off, get it again", n, at, d.size)
	}
	b := make([]byte, n)
	_, err := d.r.ReadAt(b, at)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", d.file, err)
	}
	return b, nil
}

// offset is where page n begins.
func (d *DB) offset(n uint64) (int64, error) {
	if n >= uint64(d.size/d.page) {
		return 0, d.bad("page %d is used, but the file has %d pages of %d bytes; it is cut off, get it again", n, d.size/d.page, d.page)
	}
	return int64(n) * d.page, nil
}

// Items are all keys in their order.
func (d *DB) Items() ([]Item, error) {
	if d.root == noPage {
		return nil, nil
	}
	w := &walker{DB: d, left: d.size / d.page}
	if err := w.walk(d.root, 0); err != nil {
		return nil, err
	}
	if uint64(len(w.items)) != d.count {
		return nil, d.bad("%d keys were found, the header says %d; the database is damaged", len(w.items), d.count)
	}
	return w.items, nil
}

// walker visits the tree.
type walker struct {
	*DB
	left  int64 // pages that may still be visited
	items []Item
}

func (w *walker) walk(n uint64, depth int) error {
	if w.left--; w.left < 0 || depth == maxDepth {
		return w.bad("pages refer to each other in a circle; the database is damaged")
	}
	at, err := w.offset(n)
	if err != nil {
		return err
	}
	p, err := w.read(at, int(w.page))
	if err != nil {
		return err
	}
	flags, lower := binary.LittleEndian.Uint16(p[10:]), int(binary.LittleEndian.Uint16(p[12:]))
	if binary.LittleEndian.Uint64(p) != n || lower < pageHeader || lower > len(p) || flags&(pageBranch|pageLeaf) == 0 || flags&(pageOverflow|pageMeta) != 0 {
		return w.bad("page %d (byte %d) is no page of the tree; the database is damaged", n, at)
	}
	for i := pageHeader; i+1 < lower; i += 2 {
		node := int(binary.LittleEndian.Uint16(p[i:]))
		if node < lower || node+nodeHeader > len(p) {
			return w.bad("page %d: entry %d lies outside; the database is damaged", n, (i-pageHeader)/2)
		}
		if flags&pageLeaf != 0 {
			err = w.leaf(p, node, at)
		} else {
			err = w.walk(child(p[node:]), depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// child is the page that a branch's node points to.
func child(node []byte) uint64 {
	lo, hi, top := binary.LittleEndian.Uint16(node), binary.LittleEndian.Uint16(node[2:]), binary.LittleEndian.Uint16(node[4:])
	return uint64(lo) | uint64(hi)<<16 | uint64(top)<<32
}

// leaf notes one key; its value lies behind it or on pages of its own.
func (w *walker) leaf(p []byte, node int, page int64) error {
	b := p[node:]
	size := int64(binary.LittleEndian.Uint16(b)) | int64(binary.LittleEndian.Uint16(b[2:]))<<16
	flags, key := binary.LittleEndian.Uint16(b[4:]), nodeHeader+int(binary.LittleEndian.Uint16(b[6:]))
	if flags&(nodeSub|nodeDup) != 0 {
		return w.bad("the database holds other databases, which Caffe's do not")
	}
	inside := size
	if flags&nodeBig != 0 {
		inside = 8
	}
	if int64(key)+inside > int64(len(b)) {
		return w.bad("a value of %d bytes at byte %d lies outside its page; the database is damaged", size, page+int64(node))
	}
	item := Item{Key: string(b[nodeHeader:key]), at: page + int64(node+key), size: size}
	if n := len(w.items); n > 0 && w.items[n-1].Key >= item.Key {
		return w.bad("key %.40q follows %.40q; the database is damaged", item.Key, w.items[n-1].Key)
	}
	if flags&nodeBig != 0 {
		at, err := w.offset(binary.LittleEndian.Uint64(b[key:]))
		if err != nil {
			return err
		}
		if item.at = at + pageHeader; size > w.size-item.at {
			return w.bad("a value of %d bytes at byte %d goes beyond the end of the file; it is cut off, get it again", size, item.at)
		}
	}
	w.items = append(w.items, item)
	return nil
}

// Value is the value of a key.
func (d *DB) Value(i Item) ([]byte, error) { return d.read(i.at, int(i.size)) }
