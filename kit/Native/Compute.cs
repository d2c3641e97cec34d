using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>What the computation runs on: the device, the threads, the seed.</summary>
public static class Compute
{
    /// <summary>The fastest device of this machine: <c>cuda</c>, else <c>mps</c>, else <c>cpu</c>.</summary>
    public static Device BestDevice() =>
        torch.cuda.is_available() ? new Device(DeviceType.CUDA)
        : torch.mps_is_available() ? new Device(DeviceType.MPS)
        : new Device(DeviceType.CPU);

    /// <summary>A device by name: <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>, <c>mps</c>, <c>meta</c>, or <c>best</c>.</summary>
    /// <exception cref="ArgumentException">No such device, or this machine does not have it.</exception>
    public static Device DeviceNamed(string name)
    {
        if (name == "best") return BestDevice();
        if (!TryParse(name, out var type, out var index))
            throw new ArgumentException($"No device is called '{name}'. Known: best, cpu, cuda, cuda:N, mps, meta.",
                nameof(name));
        if (type == DeviceType.CUDA && index >= (torch.cuda.is_available() ? torch.cuda.device_count() : 0))
            throw new ArgumentException($"Device '{name}' was asked for, but this machine offers no such CUDA device.",
                nameof(name));
        if (type == DeviceType.MPS && !torch.mps_is_available())
            throw new ArgumentException($"Device '{name}' was asked for, but this machine does not offer MPS.", nameof(name));
        return new Device(type, type == DeviceType.CUDA ? index : -1);
    }

    /// <summary>Threads that one operation may use. At least 1.</summary>
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
    /// Whether computation on the CPU gives the same bits on every x64 processor with AVX2. Set it before the first tensor
    /// operation, or start with <c>RESEARCHKIT_PORTABLE=1</c> or <c>researchkit run --portable</c>; it cannot be switched off
    /// again.
    /// </summary>
    /// <remarks>
    /// It fixes the instruction sets, the order of sums, the kernels and the number of threads (2, unless <see cref="Threads"/>
    /// is set afterwards: another number gives other bits) of libtorch, MKL and oneDNN. AVX-512 is not used, which is the price
    /// on processors that have it. It does not cover GPUs, other versions of libtorch or of the C library, or
    /// <c>linalg.lstsq</c>, which differs from run to run even on one machine. Linux x64 only.
    /// </remarks>
    /// <exception cref="InvalidOperationException">Switched on after the first tensor operation, or off.</exception>
    /// <exception cref="NotSupportedException">
    /// Switched on where it is not possible: no AVX2, not Linux x64; the message says which.
    /// </exception>
    public static bool Portable
    {
        get => PortableMode.IsOn;
        set
        {
            if (value) PortableMode.Enter();
            else if (PortableMode.IsOn)
                throw new InvalidOperationException("A portable run cannot be made an ordinary one; start a new process.");
        }
    }

    /// <summary>
    /// Whether float32 products on NVIDIA GPUs may round their factors to 10 bits (TF32): several times as fast. Off at first.
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
    /// Which native kernels the kit's layers multiply and convolve with on the CPU. Found out by a self-check of this machine
    /// when first needed, unless it was set or <c>RESEARCHKIT_KERNELS</c> gives it; the last bits of results depend on it.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// An environment variable of the kit has a value that is not understood.
    /// </exception>
    /// <exception cref="NotSupportedException">Set to kernels that this system does not have; nothing changes.</exception>
    public static KernelTable Kernels
    {
        get => Native.Kernels.Current.Table;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Native.Kernels.Use(value);
        }
    }

    /// <summary>Checks the kit's environment variables, so that a wrong value is told before work begins.</summary>
    /// <exception cref="InvalidOperationException">
    /// One has a value that is not understood; one sentence says which and what was expected.
    /// </exception>
    public static void CheckEnvironment() => Native.Kernels.CheckEnvironment();

    /// <summary>
    /// Whether convolutions on the CPU are summed in float64 when gradients are recorded, several times as slow. Off by default.
    /// Float32 sums differ in their last digits between processors; a ReLU whose input is that close to zero is then on here and
    /// off there, which can change the first digits of a gradient. Switch it on where gradients of two machines are compared.
    /// </summary>
    public static bool ExactGradients { get; set; }

    /// <summary>
    /// Most memory this process has held at once, in bytes of resident memory; since <see cref="ResetPeakMemory"/> if that was
    /// called.
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
    /// Gives memory that is no longer used back to the system and begins <see cref="PeakMemory"/> anew, so that the need of what
    /// follows can be measured. Linux only.
    /// </summary>
    /// <returns>
    /// Resident memory now, in bytes; null where the system cannot do it, and the peak stays that of the process's life.
    /// </returns>
    public static long? ResetPeakMemory() => MemoryPeak.Reset();

    /// <summary>
    /// Gives memory that is free back to the system, a few milliseconds' work. A run keeps what its steps free, and does this
    /// when it ends; in between it is for those who need the memory elsewhere.
    /// </summary>
    public static void ReturnFreeMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        MallocTuning.Return();
    }

    /// <summary>Seeds every generator of libtorch, so that what follows can be repeated.</summary>
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
