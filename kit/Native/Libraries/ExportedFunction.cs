using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>Replaces a function that a loaded library exports, for all later lookups.</summary>
/// <remarks>
/// It replaces the function's address in the symbol table of the library. This works where the loader gives
/// access to that table: on Linux with glibc.
/// </remarks>
internal static unsafe partial class ExportedFunction
{
    private const int SymbolEntry = 1, Writable = 1 | 2, ReadOnly = 1;   // RTLD_DL_SYMENT, PROT_READ | PROT_WRITE, PROT_READ

    /// <summary>Replaces a function.</summary>
    /// <param name="library">Handle of the library.</param>
    /// <param name="name">Name of the function.</param>
    /// <param name="replacement">Address of a function with the same signature.</param>
    /// <returns>Address of the original function; 0 if it could not be replaced.</returns>
    public static nint Replace(nint library, string name, nint replacement)
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryGetExport(library, name, out var function)) return 0;
        try
        {
            if (AddressInfo(function, out var info, out var symbol, SymbolEntry) == 0 || symbol is null
                || info.Base + symbol->Value != function) return 0;
            var page = (nint)symbol & ~(nint)(Environment.SystemPageSize - 1);
            var length = (nint)(symbol + 1) - page;
            if (Protect(page, length, Writable) != 0) return 0;   // a hardened system may refuse
            symbol->Value = replacement - info.Base;
            _ = Protect(page, length, ReadOnly);
            return function;
        }
        catch (Exception error) when (error is EntryPointNotFoundException or DllNotFoundException)
        {
            return 0;   // another C library: musl, for example, gives no access to its symbols
        }
    }

    /// <summary>Elf64_Sym, System V ABI.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Symbol
    {
        public uint Name;
        public byte Info, Other;
        public ushort Section;
        public nint Value, Size;
    }

    /// <summary>Dl_info of dlfcn.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Address
    {
        public nint File, Base, Name, Nearest;
    }

    [LibraryImport("libc.so.6", EntryPoint = "dladdr1")]
    private static partial int AddressInfo(nint address, out Address info, out Symbol* symbol, int flags);

    [LibraryImport("libc.so.6", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nint length, int access);
}
