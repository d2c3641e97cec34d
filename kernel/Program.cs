Console.WriteLine(ResearchKit.Native.NativeLibraries.TorchPath);
