using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>Settings of the computation: device, threads, seed, kernels and memory.</summary>
public static class Compute
{
    /// <summary>
    /// Returns the fastest device of this machine: <c>cuda</c>, else <c>mps</c>, else <c>cpu</c>.
    /// </summary>
    public static Device BestDevice() =>
        torch.cuda.is_available() ? new Device(DeviceType.CUDA)
        : torch.mps_is_available() ? new Device(DeviceType.MPS)
        : new Device(DeviceType.CPU);

    /// <summary>
    /// Returns a device by name: <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>, <c>mps</c>, <c>meta</c>, or <c>best</c>.
    /// </summary>
    /// <exception cref="ArgumentException">There is no device of this name, or this machine does not have
    /// it.</exception>
    public static Device DeviceNamed(string name)
    {
        if (name == "best") return BestDevice();
        if (!TryParse(name, out var type, out var index))
            throw new ArgumentException($"No device is called '{name}'; expected best, cpu, cuda, cuda:N, mps or meta.",
            nameof(name));
        if (type == DeviceType.CUDA && index >= (torch.cuda.is_available() ? torch.cuda.device_count() : 0))
            throw new ArgumentException($"Device '{name}' was asked for, but this machine offers no such CUDA device.",
                nameof(name));
        if (type == DeviceType.MPS && !torch.mps_is_available())
            throw new ArgumentException($"Device '{name}' was asked for, but this machine does not offer MPS.", nameof(name));
        return new Device(type, type == DeviceType.CUDA ? index : -1);
    }

    /// <summary>Number of threads that one operation may use; at least 1.</summary>
    public static int Threads
    {
        get => torch.get_num_threads();
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            if (value == torch.get_num_threads()) return;
            if (PortableMode.IsOn) PortableThreads.Set(value);
            else torch.set_num_threads(value);
            Native.Kernels.Forget();
        }
    }

    /// <summary>
    /// Whether computation on the CPU gives the same bits on every x64 processor with AVX2. Set it before the first
    /// tensor operation, or start with <c>RESEARCHKIT_PORTABLE=1</c> or <c>researchkit run --portable</c>. It
    /// cannot be switched off again.
    /// </summary>
    /// <remarks>
    /// It fixes the instruction sets, the order of sums and the kernels of libtorch, MKL and oneDNN, and the number
    /// of threads (2, unless <see cref="Threads"/> is set afterwards; another number gives other bits). AVX-512 is
    /// not used, so the run is slower on processors that have it. The mode does not cover GPUs, other versions of
    /// libtorch or of the C library, or <c>linalg.lstsq</c>, which differs from run to run even on one machine.
    /// Linux x64 only.
    /// </remarks>
    /// <exception cref="InvalidOperationException">It was switched on after the first tensor operation, or was
    /// switched off.</exception>
    /// <exception cref="NotSupportedException">It was switched on where it is not possible, such as without AVX2 or
    /// not on Linux x64; the message gives the reason.</exception>
    public static bool Portable
    {
        get => PortableMode.IsOn;
        set
        {
            if (value) PortableMode.Enter();
            else if (PortableMode.IsOn)
                throw new InvalidOperationException("A portable run cannot be switched off; start a new process.");
        }
    }

    /// <summary>
    /// Whether float32 products on NVIDIA GPUs may round their factors to 10 bits of mantissa (TF32), which is
    /// several times as fast. Off by default.
    /// </summary>
    public static bool AllowTensorFloat32
    {
        get => torch.backends.cuda.matmul.allow_tf32 && torch.backends.cudnn.allow_tf32;
        set
        {
            torch.backends.cuda.matmul.allow_tf32 = value;
            torch.backends.cudnn.allow_tf32 = value;
        }
    }

    /// <summary>
    /// The native kernels that the kit's layers use for products and convolutions on the CPU. They are chosen by a
    /// self-check of this machine at the first use, unless they were set or <c>RESEARCHKIT_KERNELS</c> names them.
    /// The last bits of results depend on them.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// An environment variable of the kit has a value that is not understood.
    /// </exception>
    /// <exception cref="NotSupportedException">It was set to kernels that this system does not have; nothing
    /// changes.</exception>
    public static KernelTable Kernels
    {
        get => Native.Kernels.Current.Table;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Native.Kernels.Use(value);
        }
    }

    /// <summary>
    /// Checks the kit's environment variables, so that a wrong value is reported before work begins.
    /// </summary>
    /// <exception cref="InvalidOperationException">A variable has a value that is not understood; the message names
    /// the variable and the expected values.</exception>
    public static void CheckEnvironment() => Native.Kernels.CheckEnvironment();

    /// <summary>
    /// Whether convolutions on the CPU are summed in float64 while gradients are recorded, which is several times
    /// slower. Off by default. Float32 sums differ in their last digits between processors. A ReLU whose input is
    /// that close to zero is then active on one processor and not on another, which can change the first digits of
    /// a gradient. Switch it on to compare the gradients of two machines.
    /// </summary>
    public static bool ExactGradients { get; set; }

    /// <summary>
    /// Peak resident memory of this process in bytes, since its start or since <see cref="ResetPeakMemory"/>.
    /// </summary>
    public static long PeakMemory
    {
        get
        {
            using var process = System.Diagnostics.Process.GetCurrentProcess();
            return process.PeakWorkingSet64;
        }
    }

    /// <summary>
    /// Returns free memory to the system and resets <see cref="PeakMemory"/>, to measure the memory of the code
    /// that follows. Linux only.
    /// </summary>
    /// <returns>Resident memory in bytes; null where the system cannot reset the peak.</returns>
    public static long? ResetPeakMemory() => MemoryPeak.Reset();

    /// <summary>
    /// Returns free memory to the system, which takes a few milliseconds. A training run keeps the memory that its
    /// steps free, and returns it at its end. Call this in between if the memory is needed elsewhere.
    /// </summary>
    public static void ReturnFreeMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        MallocTuning.Return();
    }

    /// <summary>Seeds all random generators of libtorch, so that a run can be repeated.</summary>
    public static void Seed(long seed) => torch.manual_seed(seed);

    private static bool TryParse(string name, out DeviceType type, out int index)
    {
        var parts = name.Split(':');
        index = 0;
        type = parts[0] switch
        {
            "cpu" => DeviceType.CPU,
            "cuda" => DeviceType.CUDA,
            "mps" => DeviceType.MPS,
            "meta" => DeviceType.META,
            _ => (DeviceType)(-1),
        };
        return (int)type >= 0 && (parts.Length == 1
            || (parts.Length == 2 && type == DeviceType.CUDA && int.TryParse(parts[1], out index) && index >= 0));
    }
}
