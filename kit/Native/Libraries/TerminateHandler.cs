using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>A C++ error that nobody caught.</summary>
/// <param name="Message">What the library says.</param>
/// <param name="Stack">Where the managed code was that called it, with files and lines where they are known.</param>
public sealed record UncaughtNativeError(string Message, StackTrace Stack);

/// <summary>
/// Hears of C++ errors that would end the process: some calls of TorchSharp let libtorch's errors out of native code.
/// </summary>
/// <remarks>
/// <c>torch.matmul</c> with shapes that do not fit, <c>torch.autograd.grad</c> and <c>cummax</c> are such calls. The error cannot
/// reach managed code, but C++ asks one function before it gives up (<c>std::set_terminate</c>). There the calling thread can be
/// stopped for good, and the rest of the process goes on. Works on Linux x64; elsewhere such a call still ends the process.
/// </remarks>
public static unsafe class TerminateHandler
{
    private const int CatchSlot = 4;   // of std::type_info's virtual functions, Itanium C++ ABI
    private const int WhatSlot = 2;    // of std::exception's
    private static readonly Lock Gate = new();
    private static Func<UncaughtNativeError, bool>? listener;
    private static delegate* unmanaged<void> before;
    private static delegate* unmanaged<nint*, nint*> currentException;
    private static delegate* unmanaged<nint> currentType;
    private static nint exceptionType;

    /// <summary>Whether such errors can be heard of on this machine.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64
        && !Workarounds.IsOff(Workarounds.Terminate);

    internal static bool IsInstalled => before is not null;

    /// <summary>From now on asks <paramref name="claim"/> about such errors, on the thread that met them.</summary>
    /// <param name="claim">
    /// True stops that thread for good, with all that it holds; false ends the process, as without a listener. A later listener
    /// takes the place of an earlier one.
    /// </param>
    /// <returns>False where it is not supported: nothing was changed.</returns>
    public static bool Listen(Func<UncaughtNativeError, bool> claim)
    {
        ArgumentNullException.ThrowIfNull(claim);
        if (!IsSupported) return false;
        lock (Gate)
        {
            listener = claim;
            if (before is null) Install();
        }
        return true;
    }

    private static void Install()
    {
        var library = NativeLibrary.Load("libstdc++.so.6");
        currentException = (delegate* unmanaged<nint*, nint*>)NativeLibrary.GetExport(library, "_ZSt17current_exceptionv");
        currentType = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "__cxa_current_exception_type");
        exceptionType = NativeLibrary.GetExport(library, "_ZTISt9exception");
        var set = (delegate* unmanaged<delegate* unmanaged<void>, delegate* unmanaged<void>>)NativeLibrary.GetExport(library,
            "_ZSt13set_terminatePFvvE");
        before = set(&OnTerminate);
    }

    [UnmanagedCallersOnly]
    private static void OnTerminate()
    {
        if (Claimed()) Thread.Sleep(Timeout.Infinite);
        before();   // ends the process
    }

    private static bool Claimed()
    {
        while (true)
        {
            try
            {
                return listener!(new UncaughtNativeError(Message(), new StackTrace(2, fNeedFileInfo: true)));
            }
            catch (ThreadInterruptedException)
            {
                continue;   // an interrupt that came at the same moment changes nothing here
            }
            catch (Exception)
            {
                return false;   // an exception may not leave this frame
            }
        }
    }

    /// <summary>What <c>catch (const std::exception&amp; error) { error.what(); }</c> would give.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string Message()
    {
        nint thrown = 0;
        currentException(&thrown);
        var type = currentType();
        if (thrown == 0 || type == 0) return "A native library ended with an error that says nothing.";
        var matches = (delegate* unmanaged<nint, nint, nint*, uint, byte>)(*(nint**)exceptionType)[CatchSlot];
        if (matches(exceptionType, type, &thrown, 1) == 0) return "A native library threw something that is not an error.";
        var what = (delegate* unmanaged<nint, nint>)(*(nint**)thrown)[WhatSlot];
        return Marshal.PtrToStringUTF8(what(thrown)) ?? "";
    }
}
