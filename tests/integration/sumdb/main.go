// Checks a signed log with the packages of Go's checksum database, which share no code with provrepo.
//
// The argument is a folder: `key` (the verifier key under the name of the log), `former` and `checkpoint` (signed notes),
// `tile/...` (the tiles), `consistency` (the hashes of our proof between both, one a line), and `receipts` with files
// `NNN.proof` (a proof as C2SP tlog-proof) and `NNN.leaf` (the hexadecimal leaf). Prints one line for what was checked.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type tiles string

func (t tiles) Height() int { return 8 }

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(string(t), "tile", strings.TrimPrefix(tile.Path(), "tile/8/")))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func check(err error, doing string) {
	if err != nil {
		fmt.Println(doing+":", err)
		os.Exit(1)
	}
}

func hash(text string) tlog.Hash {
	data, err := base64.StdEncoding.DecodeString(text)
	check(err, "base64")
	var found tlog.Hash
	if copy(found[:], data) != tlog.HashSize || len(data) != tlog.HashSize {
		check(fmt.Errorf("%d bytes", len(data)), "hash")
	}
	return found
}

func opened(text []byte, verifiers note.Verifiers, name string) tlog.Tree {
	signed, err := note.Open(text, verifiers)
	check(err, "note")
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != name {
		check(fmt.Errorf("%q", signed.Text), "checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "size")
	return tlog.Tree{N: size, Hash: hash(lines[2])}
}

func read(parts ...string) []byte {
	data, err := os.ReadFile(filepath.Join(parts...))
	check(err, "read")
	return data
}

func main() {
	folder := os.Args[1]
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(folder, "key"))))
	check(err, "key")
	verifiers := note.VerifierList(verifier)
	former := opened(read(folder, "former"), verifiers, verifier.Name())
	tree := opened(read(folder, "checkpoint"), verifiers, verifier.Name())
	reader := tlog.TileHashReader(tree, tiles(folder))

	proof, err := tlog.ProveTree(tree.N, former.N, reader)
	check(err, "prove tree")
	check(tlog.CheckTree(proof, tree.N, tree.Hash, former.N, former.Hash), "check tree")
	ours := strings.Fields(string(read(folder, "consistency")))
	if len(ours) != len(proof) {
		check(fmt.Errorf("%d hashes, not %d", len(ours), len(proof)), "our consistency proof")
	}
	for i, text := range ours {
		if hash(text) != proof[i] {
			check(fmt.Errorf("hash %d", i), "our consistency proof")
		}
	}

	names, err := filepath.Glob(filepath.Join(folder, "receipts", "*.proof"))
	check(err, "receipts")
	for _, name := range names {
		head, checkpoint, _ := strings.Cut(string(read(name)), "\n\n")
		lines := strings.Split(head, "\n")
		if lines[0] != "c2sp.org/tlog-proof@v1" {
			check(fmt.Errorf("%q", lines[0]), "proof")
		}
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		check(err, "index")
		stated := opened([]byte(checkpoint), verifiers, verifier.Name())
		var own tlog.RecordProof
		for _, text := range lines[2:] {
			own = append(own, hash(text))
		}
		leaf, err := hex.DecodeString(strings.TrimSpace(string(read(strings.TrimSuffix(name, ".proof") + ".leaf"))))
		check(err, "leaf")
		check(tlog.CheckRecord(own, stated.N, stated.Hash, index, tlog.RecordHash(leaf)), "check record")
		theirs, err := tlog.ProveRecord(tree.N, index, reader)
		check(err, "prove record")
		check(tlog.CheckRecord(theirs, tree.N, tree.Hash, index, tlog.RecordHash(leaf)), "check their record")
	}
	fmt.Printf("%d entries after %d, %d receipts\n", tree.N, former.N, len(names))
}
