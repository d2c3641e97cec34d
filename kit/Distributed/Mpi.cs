using System.Runtime.InteropServices;

namespace ResearchKit.Distributed;

/// <summary>
/// The functions of Open MPI's C library that the kit calls, as the MPI standard defines them.
/// </summary>
/// <remarks>https://www.mpi-forum.org/docs/. Each returns 0 or an error code.</remarks>
internal static unsafe partial class Mpi
{
    /// <summary>MPI_THREAD_SERIALIZED: any thread may call, one at a time.</summary>
    public const int OneThreadAtATime = 2;

    /// <summary>MPI_COMM_TYPE_SHARED: processes of one machine.</summary>
    public const int SameMachine = 0;

    /// <summary>MPI_MAX_ERROR_STRING of Open MPI.</summary>
    public const int LongestError = 256;

    /// <summary>MPI_IN_PLACE: the send buffer is also the receive buffer.</summary>
    public const nint InPlace = 1;

    [LibraryImport(MpiLibrary.Name, EntryPoint = "MPI_Init_thread")]
    public static partial int Initialize(nint argumentCount, nint arguments, int required, out int provided);

    [LibraryImport(MpiLibrary.Name, EntryPoint = "MPI_Comm_rank")]
    public static partial int Rank(nint communicator, out int rank);

    [LibraryImport(MpiLibrary.Name, EntryPoint = "MPI_Comm_size")]
    public static partial int Count(nint communicator, out int count);

    [LibraryImport(MpiLibrary.Name, EntryPoint = "MPI_Comm_set_errhandler")]
    public static partial int HandleErrors(nint communicator, nint handler);

    [LibraryImport(MpiLibrary.Name, EntryPoint = "MPI_Comm_split_type")]
    public static partial int Split(nint communicator, int type, int key, nint info, out nint part);

    [LibraryImport(MpiLibrary.Name, EntryPoint = "MPI_Allreduce")]
    public static partial int Reduce(nint send, nint receive, int count, nint datatype, nint operation, nint communicator);

    [LibraryImport(MpiLibrary.Name, EntryPoint = "MPI_Bcast")]
    public static partial int Broadcast(nint buffer, int count, nint datatype, int from, nint communicator);

    [LibraryImport(MpiLibrary.Name, EntryPoint = "MPI_Error_string")]
    public static partial int Describe(int error, byte* text, out int length);

    [LibraryImport(MpiLibrary.Name, EntryPoint = "MPI_Abort")]
    public static partial int Abort(nint communicator, int exitCode);

    [LibraryImport(MpiLibrary.Name, EntryPoint = "MPI_Finalize")]
    public static partial int Close();
}
