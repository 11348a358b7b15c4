"""Pipelines over pictures, arrays and scientific formats."""

from __future__ import annotations

from pathlib import Path

from provrepo.capture import step


class Thumbnails:
    """shrink: photos/a.png photos/b.png -> thumbs/a.jpg thumbs/b.jpg."""

    def prepare(self) -> None:
        from PIL import Image

        Path("photos").mkdir()
        for name in "ab":
            Image.new("RGB", (32, 32), "green").save(f"photos/{name}.png")

    def work(self) -> None:
        from PIL import Image

        @step
        def shrink() -> None:
            Path("thumbs").mkdir()
            for path in sorted(Path("photos").iterdir()):
                with Image.open(path) as picture:
                    picture.thumbnail((8, 8))
                    picture.save(f"thumbs/{path.stem}.jpg")

        shrink()


class Features:
    """extract: signal.npy -> features.h5; normalize: features.h5 -> features.h5."""

    def prepare(self) -> None:
        import numpy as np

        np.save("signal.npy", np.arange(100.0))

    def work(self) -> None:
        import h5py
        import numpy as np

        @step
        def extract() -> None:
            with h5py.File("features.h5", "w") as file:
                file["spectrum"] = np.abs(np.fft.rfft(np.load("signal.npy")))

        @step
        def normalize() -> None:
            with h5py.File("features.h5", "a") as file:
                file["normal"] = file["spectrum"][:] / file["spectrum"][:].max()

        extract(), normalize()


class Climate:
    """climatology: daily.nc -> monthly.nc."""

    def prepare(self) -> None:
        import numpy as np
        import xarray as xr

        xr.Dataset({"t": ("time", np.arange(60.0))}).to_netcdf("daily.nc")

    def work(self) -> None:
        import xarray as xr

        @step
        def climatology() -> None:
            with xr.open_dataset("daily.nc") as daily:
                daily.coarsen(time=30).mean().to_netcdf("monthly.nc")

        climatology()


class Astronomy:
    """stack: night/1.fits night/2.fits dark.fits -> stacked.fits."""

    def prepare(self) -> None:
        import numpy as np
        from astropy.io import fits

        Path("night").mkdir()
        for name in ("night/1.fits", "night/2.fits", "dark.fits"):
            fits.writeto(name, np.ones((4, 4)))

    def work(self) -> None:
        import numpy as np
        from astropy.io import fits

        @step
        def stack() -> None:
            dark = fits.getdata("dark.fits")
            frames = [fits.getdata(path) - dark for path in sorted(Path("night").glob("*.fits"))]
            fits.writeto("stacked.fits", np.median(frames, axis=0))

        stack()


class MemoryMap:
    """scale: big.bin -> scaled.npy."""

    def prepare(self) -> None:
        import numpy as np

        np.arange(1000.0).tofile("big.bin")

    def work(self) -> None:
        import numpy as np

        @step
        def scale() -> None:
            source = np.memmap("big.bin", dtype=float, mode="r")
            target = np.lib.format.open_memmap("scaled.npy", mode="w+", dtype=float, shape=source.shape)
            target[:] = source * 2
            target.flush()

        scale()


class Cube:
    """subset: cube.zarr/zarr.json cube.zarr/c/0 -> part.zarr/zarr.json part.zarr/c/0."""

    def prepare(self) -> None:
        import numpy as np
        import zarr

        zarr.save_array("cube.zarr", np.arange(1, 9))

    def work(self) -> None:
        import zarr

        @step
        def subset() -> None:
            zarr.save_array("part.zarr", zarr.open_array("cube.zarr", mode="r")[2:5])

        subset()


class Weights:
    """convert: weights.npz -> weights.safetensors."""

    def prepare(self) -> None:
        import numpy as np

        np.savez("weights.npz", a=np.ones(3))

    def work(self) -> None:
        import numpy as np
        from safetensors.numpy import save_file

        @step
        def convert() -> None:
            with np.load("weights.npz") as weights:
                save_file(dict(weights), "weights.safetensors")

        convert()


class Signals:
    """smooth: noise.wav -> clean.mat."""

    def prepare(self) -> None:
        import numpy as np
        from scipy.io import wavfile

        wavfile.write("noise.wav", 8000, np.arange(100, dtype=np.int16))

    def work(self) -> None:
        from scipy.io import savemat, wavfile

        @step
        def smooth() -> None:
            savemat("clean.mat", {"signal": wavfile.read("noise.wav")[1] // 2})

        smooth()
