using System.Runtime.InteropServices;

namespace ResearchKit.Distributed;

/// <summary>
/// Open MPI's C library on this machine, and the addresses of its predefined communicators, datatypes and
/// operations.
/// </summary>
internal sealed class MpiLibrary
{
    /// <summary>
    /// Library name in the <c>LibraryImport</c> attributes; <see cref="Open"/> resolves it to a file.
    /// </summary>
    public const string Name = "libmpi";

    private static readonly string[] Files = OperatingSystem.IsMacOS() ? ["libmpi.40.dylib", "libmpi.dylib"]
        : ["libmpi.so.40", "libmpi.so"];
    private static readonly Lazy<MpiLibrary> Loaded = new(() => Load(Files));

    private readonly nint handle;
    private readonly string file;

    private MpiLibrary(nint handle, string file)
    {
        this.handle = handle;
        this.file = file;
    }

    /// <summary>
    /// Loads the library, once in a process, and lets the functions of <see cref="Mpi"/> resolve to it.
    /// </summary>
    /// <exception cref="DllNotFoundException">This machine has no MPI library, or another MPI than Open
    /// MPI.</exception>
    public static MpiLibrary Open()
    {
        if (!Loaded.IsValueCreated)
        {
            var library = Loaded.Value;
            NativeLibrary.SetDllImportResolver(typeof(MpiLibrary).Assembly, (name, _, _) => name == Name ? library.handle : 0);
        }
        return Loaded.Value;
    }

    /// <summary>MPI_COMM_WORLD: all processes of the job.</summary>
    public nint World => Address("ompi_mpi_comm_world");

    /// <summary>MPI_ERRORS_RETURN.</summary>
    public nint ReturnErrors => Address("ompi_mpi_errors_return");

    /// <summary>MPI_INFO_NULL.</summary>
    public nint NoInfo => Address("ompi_mpi_info_null");

    /// <summary>MPI_SUM.</summary>
    public nint Sum => Address("ompi_mpi_op_sum");

    /// <summary>MPI_BYTE.</summary>
    public nint Bytes => Address("ompi_mpi_byte");

    /// <summary>MPI_FLOAT.</summary>
    public nint Float32 => Address("ompi_mpi_float");

    /// <summary>MPI_DOUBLE.</summary>
    public nint Float64 => Address("ompi_mpi_double");

    /// <summary>MPI_INT64_T.</summary>
    public nint Int64 => Address("ompi_mpi_int64_t");

    /// <summary>Loads the first of the files that exists.</summary>
    internal static MpiLibrary Load(IReadOnlyList<string> files)
    {
        foreach (var file in files)
            if (NativeLibrary.TryLoad(file, out var handle)) return new MpiLibrary(handle, file);
        throw new DllNotFoundException($"Open MPI's library was not found; tried {string.Join(", ", files)}. "
        + "Install it with: apt-get install openmpi-bin libopenmpi-dev (on other systems: the package openmpi, "
        + "with its library folder in LD_LIBRARY_PATH).");
    }

    private nint Address(string symbol) => NativeLibrary.TryGetExport(handle, symbol, out var address) ? address
        : throw new DllNotFoundException($"{file} is not Open MPI's library: it lacks {symbol}. Install Open MPI with: "
        + "apt-get install openmpi-bin libopenmpi-dev.");
}
