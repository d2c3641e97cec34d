using System.Reflection;
using System.Runtime.InteropServices;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using ResearchKit.Tests.Kernel.Languages;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

/// <summary>
/// What each workaround is for, tried: the probe ends with 0 while the path works, and with something else, or a crash, where it
/// does not.
/// </summary>
internal static unsafe partial class Probes
{
    private const int Works = 0, Fails = 1;

    private static readonly Dictionary<string, Func<bool>> All = new()
    {
        ["scalar-free"] = ScalarsOutliveTheirCalls,
        ["scalar-cache"] = SmallNumbersAreShared,
        ["terminate-handler"] = AnEscapedExceptionLeavesTheProcess,
        ["autocast"] = ProductsRunInBFloat16,
        ["onednn-linear"] = ProductsByOneDnn,
        ["fused-convolution"] = ConvolutionsAreFused,
        ["cache-record"] = ConvolutionsAreRight,
        ["mkl-path"] = MklKnowsTheInstructionSets,
        ["bfloat16-emulation"] = BFloat16ByFloat32,
        ["malloc-tuning"] = FreedMemoryIsKept,
        ["large-pages"] = PagesAreThereBeforeTheyAreTouched,
        ["openmp-threads"] = OneThreadForSmallWork,
        ["portable-functions"] = AProcessCanBePortable,
        ["kernels"] = ShowKernels,
        ["table"] = ShowTable,
        ["hidden-record"] = ShowTableOfAMachineThatHidesItsCaches,
        ["portable"] = PortableProbe.Run,
        ["torch-scripts"] = TorchScriptsCompile,
        ["record"] = Training.RecordProbe.Run,
        [OtherRoslynProbe.Name] = OtherRoslynProbe.Run,
        [Checkpoints.LlamaProbe.Name] = Checkpoints.LlamaProbe.Run,
    };

    public static IEnumerable<string> Names => All.Keys.Except(
        ["kernels", "table", "hidden-record", "portable", "torch-scripts", "record", OtherRoslynProbe.Name,
            Checkpoints.LlamaProbe.Name]);

    public static int Run(string name) => All[name]() ? Works : Fails;

    /// <summary>
    /// Reads a Scalar after it was collected, as native code may: once it is freed, the heap has overwritten its first words.
    /// </summary>
    private static bool ScalarsOutliveTheirCalls()
    {
        var (number, type) = Make();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return *(long*)number == type;

        static (nint, long) Make()
        {
            var number = Address((Scalar)0.1);
            return (number, *(long*)number);
        }
    }

    private static bool SmallNumbersAreShared()
    {
        using var one = (Scalar)1.0;
        using var other = (Scalar)1.0;
        return Address(one) == Address(other);
    }

    private static bool AnEscapedExceptionLeavesTheProcess()
    {
        using var heard = new ManualResetEventSlim();
        TerminateHandler.Listen(_ =>
        {
            heard.Set();
            return true;
        });
        new Thread(() => torch.matmul(ones(2, 3), ones(2, 3))) { IsBackground = true }.Start();
        heard.Wait();
        return true;
    }

    private static bool ProductsRunInBFloat16()
    {
        if (!Autocast.IsSupported) return false;
        using var autocast = new Autocast(DeviceType.CPU, ScalarType.BFloat16);
        using var matrix = ones(8, 8);
        using var product = matrix.mm(matrix);
        return product.dtype == ScalarType.BFloat16;
    }

    /// <summary>With the variable ONEDNN_VERBOSE, oneDNN prints what it is asked for.</summary>
    private static bool ProductsByOneDnn()
    {
        using var matrix = ones(300, 300);
        if (OneDnnLinear.IsThere) OneDnnLinear.Multiply(matrix, matrix).Dispose();
        else nn.functional.linear(matrix, matrix).Dispose();
        return OneDnnLinear.IsThere;
    }

    private static bool ConvolutionsAreFused()
    {
        using var network = new ResNet(ResNetConfig.Nano);
        using var packed = network.PackForInference();
        return packed.Packing!.ToString().Contains("fused", StringComparison.Ordinal);
    }

    /// <summary>Prints each file before it is compiled, so that the last one names what ended the process.</summary>
    private static bool TorchScriptsCompile()
    {
        foreach (var file in TorchScript.Files)
        {
            Console.WriteLine(file);
            TorchScript.Compile(file).Dispose();
        }
        return true;
    }

    private static bool AProcessCanBePortable()
    {
        Compute.Portable = true;
        return Compute.Portable;
    }

    private static bool ConvolutionsAreRight()
    {
        _ = OneDnnCacheRecord.IsRight;
        using (var scope = NewDisposeScope())
        {
            var (x, weight) = (ones(2, 1024, 14, 14).requires_grad_(), ones(2048, 1024, 1, 1).requires_grad_());
            nn.functional.conv2d(x, weight, strides: [2, 2]).sum().backward();
        }
        return KernelTrials.ConvolutionError() <= KernelSelfCheck.Tolerance;
    }

    /// <summary>Whether MKL's answer to the question whose processor this is, which chooses its kernels, is yes.</summary>
    private static bool MklKnowsTheInstructionSets()
    {
        MklPaths.Tell();
        return MklPaths.IsTold || !MklPaths.IsNeeded;
    }

    private static bool BFloat16ByFloat32()
    {
        using var x = ones(4, 4);
        using var autocast = new Autocast(DeviceType.CPU, ScalarType.BFloat16);
        return BFloat16Emulation.Fits(x);
    }

    private static bool FreedMemoryIsKept()
    {
        using var kept = MallocTuning.Keep();
        const int pieces = 4, bytes = 24 << 20;
        for (var round = 0; round < 2; round++)   // in the first, glibc learns from what is freed
        {
            var memory = Enumerable.Range(0, pieces).Select(_ => (nint)NativeMemory.Alloc(bytes)).ToList();
            foreach (var piece in memory) NativeMemory.Free((void*)piece);
        }
        return mallinfo2().Free > pieces * bytes / 2;
    }

    private static bool PagesAreThereBeforeTheyAreTouched()
    {
        const int bytes = 256 << 20;
        using var memory = empty(bytes / sizeof(float));
        LargePages.Expect(NativeTensors.Data(memory), bytes);
        var before = PageFaults();
        memory.fill_(1);
        return PageFaults() - before < bytes / 4096 / 8;
    }

    private static bool OneThreadForSmallWork()
    {
        using (OpenMp.One()) return OpenMp.Present <= 1;
    }

    private static bool ShowKernels()
    {
        Console.WriteLine(Compute.Kernels);
        Console.WriteLine(Compute.Kernels.Source);
        return true;
    }

    /// <summary>The sums of a product and of a convolution by the kit's layers, as bits.</summary>
    /// <summary>With oneDNN's record as such a machine has it from the start.</summary>
    private static bool ShowTableOfAMachineThatHidesItsCaches()
    {
        OneDnnCacheRecord.Write(new CacheSizes(1, 1, 1));
        Console.WriteLine($"{Compute.Kernels} filled={OneDnnCacheRecord.WasFilled}");
        return KernelTrials.ConvolutionError() <= KernelSelfCheck.Tolerance;
    }

    private static bool ShowTable()
    {
        using var scope = NewDisposeScope();
        var product = LinearProduct.Of(KernelTrials.Numbers(300, 300), KernelTrials.Numbers(300, 300));
        var map = ConvolutionKernel.Convolve(KernelTrials.Numbers(2, 3, 20, 20), KernelTrials.Numbers(5, 3, 3, 3), null,
            new ConvolutionGeometry([1, 1], [1, 1], [1, 1], 1));
        Console.WriteLine(Compute.Kernels);
        Console.WriteLine($"{BitConverter.DoubleToInt64Bits(product.to(float64).sum().item<double>()):x} "
            + $"{BitConverter.DoubleToInt64Bits(map.to(float64).sum().item<double>()):x}");
        return true;
    }

    private static nint Address(Scalar number) =>
        (nint)typeof(Scalar).GetProperty("Handle", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(number)!;

    private static long PageFaults()
    {
        var usage = stackalloc long[18];
        // ru_minflt
        return getrusage(0, usage) == 0
            ? usage[8] : throw new InvalidOperationException("The system does not count page faults.");
    }

    /// <summary>struct mallinfo2 of malloc.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct HeapInformation
    {
        public nuint Arena, Pieces, Small, Mapped, MappedBytes, Highest, SmallBytes, Used, Free, AtTheEnd;
    }

    [LibraryImport("libc")]
    private static partial HeapInformation mallinfo2();

    [LibraryImport("libc")]
    private static partial int getrusage(int who, long* usage);
}
