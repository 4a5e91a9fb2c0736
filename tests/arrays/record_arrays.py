"""Small arrays as NumPy and h5py write them, in every form that cdt-import reads.

    python3 tests/arrays/record_arrays.py        # needs numpy, ml_dtypes and h5py

Value i of an array in C order is (37 i mod 101 - 50) / 8, which all four types of float hold exactly.
"""

import pathlib

import h5py
import ml_dtypes
import numpy as np

HERE = pathlib.Path(__file__).parent


def values(*shape):
    i = np.arange(np.prod(shape))
    return ((37 * i % 101 - 50) / 8).reshape(shape)


def main():
    dna, table = values(5, 3, 4), values(6, 2)
    np.save(HERE / "f2.npy", dna.astype("<f2"))
    np.save(HERE / "f4.npy", dna.astype("<f4"))
    np.save(HERE / "f8_big_endian.npy", dna.astype(">f8"))
    np.save(HERE / "f2_big_endian.npy", dna.astype(">f2"))
    np.save(HERE / "bf16.npy", dna.astype(ml_dtypes.bfloat16))
    np.save(HERE / "f4_fortran.npy", np.asfortranarray(dna.astype("<f4")))
    np.save(HERE / "objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    np.savez(HERE / "stored.npz", dna=dna.astype("<f4"), table=table.astype("<f8"))
    np.savez_compressed(HERE / "packed.npz", dna=dna.astype("<f2"),
                        table=np.asfortranarray(table.astype(">f4")))
    np.savez(HERE / "one.npz", table.astype("<f4"))
    with h5py.File(HERE / "groups.h5", "w", libver="earliest") as file:
        file.create_dataset("windows/f2", data=dna.astype("<f2"), chunks=(2, 3, 2), compression="gzip")
        file.create_dataset("windows/bf16", data=dna.astype(ml_dtypes.bfloat16))
        file.create_dataset("table", data=table.astype(">f8"))
        file["alias"] = h5py.SoftLink("/table")


if __name__ == "__main__":
    main()
