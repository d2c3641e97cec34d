using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>
/// Autocast: until it is disposed, matrix products, convolutions and attention on this thread run in a 16-bit
/// type, while sums, norms and losses stay in float32.
/// </summary>
/// <remarks>
/// This is libtorch's own autocast with PyTorch's lists of operations. TorchSharp does not bind it, so its
/// functions are found by their C++ names, which are the same on Linux and macOS. Weights stay float32; each is
/// cast once and reused until autocast ends.
/// </remarks>
public sealed unsafe class Autocast : IDisposable
{
    private static readonly Lazy<Functions?> Library = new(Functions.Find);
    private readonly sbyte device;
    private readonly byte wasEnabled;
    private readonly sbyte typeBefore;
    private readonly int thread = Environment.CurrentManagedThreadId;
    private bool ended;

    /// <summary>Whether this system's libtorch exports the autocast functions.</summary>
    public static bool IsSupported => Library.Value is not null;

    /// <summary>Enables autocast for operations on one kind of device.</summary>
    /// <param name="device">Device type of the operations.</param>
    /// <param name="type">bfloat16 or float16.</param>
    /// <exception cref="ArgumentException">The type is not bfloat16 or float16.</exception>
    /// <exception cref="NotSupportedException">This system's libtorch does not export the autocast
    /// functions.</exception>
    public Autocast(DeviceType device, ScalarType type)
    {
        if (type is not (ScalarType.BFloat16 or ScalarType.Float16))
            throw new ArgumentException($"The type is {type}; it must be bfloat16 or float16.", nameof(type));
        if (Library.Value is not { } library)
            throw new NotSupportedException("Mixed precision is not supported: this system's libtorch does not export its "
            + "autocast functions; train in float32.");
        this.device = (sbyte)device;
        wasEnabled = library.Enabled(this.device);
        typeBefore = library.Type(this.device);
        library.SetEnabled(this.device, 1);
        library.SetType(this.device, (sbyte)type);
        library.Enter();
    }

    /// <summary>
    /// Returns the autocast that is active on this thread, to be resumed in a backward pass; null for none.
    /// </summary>
    internal static object? Current(DeviceType device) =>
        TypeOn(device) is { } type ? new Setting(device, type) : null;

    /// <summary>Enables the autocast that <see cref="Current"/> returned.</summary>
    internal static Autocast? Resume(object? current) => current is Setting setting ? new Autocast(setting.Device, setting.Type)
        : null;

    /// <summary>
    /// Returns the type of the autocast that is active on this thread; null for none, and on devices without
    /// autocast, such as meta.
    /// </summary>
    internal static ScalarType? TypeOn(DeviceType device) =>
        device is DeviceType.CPU or DeviceType.CUDA && Library.Value is { } library && library.Enabled((sbyte)device) != 0
            ? (ScalarType)library.Type((sbyte)device) : null;

    /// <summary>Disables autocast on this thread until the returned object is disposed.</summary>
    internal static IDisposable? Pause(DeviceType device)
    {
        if (Library.Value is not { } library) return null;
        var before = library.Enabled((sbyte)device);
        library.SetEnabled((sbyte)device, 0);
        return Disposable.Of(() => library.SetEnabled((sbyte)device, before));
    }

    /// <summary>
    /// Disables the cache of cast weights until the returned object is disposed. A weight that was cast without
    /// recording a gradient must not be reused where gradients are recorded.
    /// </summary>
    internal static IDisposable? WithoutCache()
    {
        if (Library.Value is not { } library) return null;
        var before = library.CacheEnabled();
        library.SetCacheEnabled(0);
        return Disposable.Of(() => library.SetCacheEnabled(before));
    }

    private sealed record Setting(DeviceType Device, ScalarType Type);

    /// <summary>Ends autocast and clears the cache of cast weights.</summary>
    /// <exception cref="InvalidOperationException">It was created on another thread.</exception>
    public void Dispose()
    {
        if (ended) return;
        if (thread != Environment.CurrentManagedThreadId)
            throw new InvalidOperationException("Autocast must be disposed on the thread that created it.");
        ended = true;
        var library = Library.Value!;
        if (library.Leave() == 0) library.ClearCache();
        library.SetEnabled(device, wasEnabled);
        library.SetType(device, typeBefore);
    }

    /// <summary>The functions of at::autocast, found by name.</summary>
    private sealed class Functions
    {
        public required delegate* unmanaged<sbyte, byte> Enabled { get; init; }
        public required delegate* unmanaged<sbyte, byte, void> SetEnabled { get; init; }
        public required delegate* unmanaged<sbyte, sbyte> Type { get; init; }
        public required delegate* unmanaged<sbyte, sbyte, void> SetType { get; init; }
        public required delegate* unmanaged<int> Enter { get; init; }
        public required delegate* unmanaged<int> Leave { get; init; }
        public required delegate* unmanaged<void> ClearCache { get; init; }
        public required delegate* unmanaged<byte> CacheEnabled { get; init; }
        public required delegate* unmanaged<byte, void> SetCacheEnabled { get; init; }

        public static Functions? Find()
        {
            if (Workarounds.IsOff(Workarounds.AutocastSymbols)) return null;
            var library = NativeLibrary.Load(NativeLibraries.TorchPath);
            string[] names = ["19is_autocast_enabledEN3c1010DeviceTypeE", "20set_autocast_enabledEN3c1010DeviceTypeEb",
                "18get_autocast_dtypeEN3c1010DeviceTypeE",
                "18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE", "17increment_nestingEv",
                "17decrement_nestingEv", "11clear_cacheEv",
                "25is_autocast_cache_enabledEv", "26set_autocast_cache_enabledEb"];
            var at = new nint[names.Length];
            for (var i = 0; i < names.Length; i++)
                if (!NativeLibrary.TryGetExport(library, "_ZN2at8autocast" + names[i], out at[i])) return null;
            return new Functions
            {
                Enabled = (delegate* unmanaged<sbyte, byte>)at[0],
                SetEnabled = (delegate* unmanaged<sbyte, byte, void>)at[1],
                Type = (delegate* unmanaged<sbyte, sbyte>)at[2],
                SetType = (delegate* unmanaged<sbyte, sbyte, void>)at[3],
                Enter = (delegate* unmanaged<int>)at[4],
                Leave = (delegate* unmanaged<int>)at[5],
                ClearCache = (delegate* unmanaged<void>)at[6],
                CacheEnabled = (delegate* unmanaged<byte>)at[7],
                SetCacheEnabled = (delegate* unmanaged<byte, void>)at[8],
            };
        }
    }
}
