using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace ResearchKit.Native;

/// <summary>Loads libtorch and TorchSharp's native library, by full path, before the first tensor exists.</summary>
/// <remarks>
/// TorchSharp itself loads them by name through the system's loader. That finds another libtorch where a Python
/// one is installed. It fails on Debian 12, Ubuntu 22.04 and RHEL 9, whose libstdc++ is older than the one that
/// TorchSharp was built against (<see cref="ElfSymbolVersions"/>). The kit loads both when it has been used and TorchSharp
/// is, so what needs no tensor, such as records of runs, needs no libtorch.
/// </remarks>
public static class NativeLibraries
{
    private const string TorchSharp = "TorchSharp";
    private static readonly Lock Gate = new();
    private static string path = "";
    private static Exception? failure;
    private static bool isTried;

    /// <summary>Full path of the libtorch library in use.</summary>
    /// <exception cref="DllNotFoundException">There is none, or it cannot be loaded.</exception>
    public static string TorchPath
    {
        get
        {
            Load(typeof(torch).Assembly);
            ThrowFailure();
            return path;
        }
    }

    /// <summary>
    /// Version of the libtorch that TorchSharp was built for, as in package versions: <c>2.10.0</c>.
    /// </summary>
    /// <remarks>Recorded at build time, because asking TorchSharp would make it load the library.</remarks>
    public static string TorchVersion { get; } = typeof(NativeLibraries).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(note => note.Key == nameof(TorchVersion)).Value!;

    /// <summary>
    /// Whether this process patched the library because the system's libstdc++ lacks a symbol version.
    /// </summary>
    public static bool RelaxedSymbolVersion { get; private set; }

    private static string Platform =>
        OperatingSystem.IsWindows() ? RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "win-arm64" : "win-x64"
        : OperatingSystem.IsMacOS() ? "osx-arm64"
        : "linux-x64";

#pragma warning disable CA2255 // a module initializer, because the libraries must load before any tensor exists
    [ModuleInitializer]
    internal static void LoadWithTorchSharp()
#pragma warning restore CA2255
    {
        AppDomain.CurrentDomain.AssemblyLoad += LoadForLoaded;
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies()) LoadFor(assembly);
    }

    private static void LoadForLoaded(object? sender, AssemblyLoadEventArgs loaded) => LoadFor(loaded.LoadedAssembly);

    private static void LoadFor(Assembly assembly)
    {
        if (assembly.GetName().Name != TorchSharp) return;
        AppDomain.CurrentDomain.AssemblyLoad -= LoadForLoaded;
        Load(assembly);
    }

    /// <summary>Loads the libraries once. An event must not throw, so a failure is kept until something needs them.</summary>
    private static void Load(Assembly torchSharp)
    {
        lock (Gate)
        {
            if (isTried) return;
            isTried = true;
            try
            {
                Load(NativeFolders.Candidates(Platform, torchSharp).ToList());
                PortableMode.EnterIfAsked();
            }
            catch (Exception error)
            {
                failure = error;
                NativeLibrary.SetDllImportResolver(torchSharp, (_, _, _) =>
                {
                    ThrowFailure();
                    return 0;
                });
            }
        }
    }

    private static void Load(List<string> folders)
    {
        foreach (var name in new[] { "c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch" })
        {
            if (Find(folders, name) is { } file) Open(file);
            else if (!name.Contains("cuda", StringComparison.Ordinal)) throw Missing(name, folders);
        }

        path = Find(folders, "torch_cpu")!;
        DeferredScalarFree.Keep(Open(Find(folders, "LibTorchSharp") ?? throw Missing("LibTorchSharp", folders)));
    }

    private static void ThrowFailure()
    {
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    private static string? Find(List<string> folders, string name)
    {
        var file = OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";
        return folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
    }

    private static nint Open(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (DllNotFoundException error) when (error.Message.Contains(ElfSymbolVersions.TooNew, StringComparison.Ordinal))
        {
            RelaxedSymbolVersion = true;
            return OpenRelaxed(path);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            throw new DllNotFoundException($"The native library {path} could not be loaded: {error.Message}", error);
        }
    }

    /// <summary>
    /// Loads a copy of the library that does not require the symbol version. The file is deleted afterwards,
    /// because a loaded library does not need it.
    /// </summary>
    private static nint OpenRelaxed(string path)
    {
        var folder = Directory.CreateTempSubdirectory("researchkit-");
        try
        {
            var copy = Path.Combine(folder.FullName, Path.GetFileName(path));
            File.WriteAllBytes(copy, ElfSymbolVersions.Relax(File.ReadAllBytes(path)));
            return NativeLibrary.Load(copy);
        }
        catch (Exception error) when (error is DllNotFoundException or IOException or UnauthorizedAccessException)
        {
            throw new DllNotFoundException(
                $"The system's libstdc++ is older than {path} needs, and a copy that does not need it could not be loaded from "
                + $"{folder.FullName}: {error.Message} Set TMPDIR to a folder that may hold programs, or install "
                    + "libstdc++ of GCC 13.", error);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static DllNotFoundException Missing(string name, List<string> folders) => new(
        $"The native library '{name}' for {Platform} was not found. Reference the package libtorch-cpu-{Platform} "
        + $"{TorchVersion} (or TorchSharp-cuda-…) from the project that starts the program. "
        + $"Looked in: {(folders.Count == 0 ? "no folder exists" : string.Join(", ", folders))}.");
}
