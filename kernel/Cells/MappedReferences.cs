using System.IO.MemoryMappedFiles;
using System.Reflection.PortableExecutable;
using Microsoft.CodeAnalysis;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// Metadata references to memory-mapped assemblies. A cell uses few of the roughly two hundred assemblies, so
/// mapping them instead of reading them makes a session start sooner.
/// </summary>
internal static unsafe class MappedReferences
{
    private static readonly List<MemoryMappedViewAccessor> Alive = [];

    /// <summary>Returns a reference to a file; null if it is not a managed assembly.</summary>
    public static MetadataReference? To(string path)
    {
        using var file = MemoryMappedFile.CreateFromFile(
            File.OpenRead(path), null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        lock (Alive) Alive.Add(view);   // never disposed: the compiler reads from the mapping until the process ends
        var image = new PEReader(start, (int)view.Capacity);
        if (!image.HasMetadata) return null;
        var metadata = image.GetMetadata();
        return AssemblyMetadata.Create(ModuleMetadata.CreateFromMetadata((nint)metadata.Pointer, metadata.Length))
            .GetReference(filePath: path, display: path);
    }
}
