//! Why and how far the chip is reset. Source: TRM chapter 6.1, "Reset".

/// A reset that some part of the chip asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Power-on, or EN going high.
    PowerOn,
    /// Software reset of the digital system.
    SoftwareSystem,
    /// Wake-up from deep sleep.
    DeepSleep,
    /// Watchdog of timer group 0, system reset.
    Timg0System,
    /// Watchdog of timer group 1, system reset.
    Timg1System,
    /// RTC watchdog, system reset.
    RtcWatchdogSystem,
    /// Watchdog of timer group 0, CPU reset.
    Timg0Cpu,
    /// Watchdog of timer group 1, CPU reset.
    Timg1Cpu,
    /// Software reset of the CPU.
    SoftwareCpu,
    /// RTC watchdog, CPU reset.
    RtcWatchdogCpu,
    /// RTC watchdog, whole chip.
    RtcWatchdogRtc,
    /// Super watchdog, whole chip.
    SuperWatchdog,
    /// USB-Serial-JTAG's reset by control lines.
    UsbUart,
}

/// How much a reset covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// The processor only.
    Cpu,
    /// The digital system, except the RTC domain.
    Core,
    /// Everything.
    Chip,
}

impl Request {
    /// The code that RTC_CNTL_RESET_CAUSE shows, table 6.1-1.
    #[must_use]
    pub fn cause(self) -> u32 {
        match self {
            Self::PowerOn => 0x01,
            Self::SoftwareSystem => 0x03,
            Self::DeepSleep => 0x05,
            Self::Timg0System => 0x07,
            Self::Timg1System => 0x08,
            Self::RtcWatchdogSystem => 0x09,
            Self::Timg0Cpu => 0x0B,
            Self::SoftwareCpu => 0x0C,
            Self::RtcWatchdogCpu => 0x0D,
            Self::RtcWatchdogRtc => 0x10,
            Self::Timg1Cpu => 0x11,
            Self::SuperWatchdog => 0x12,
            Self::UsbUart => 0x15,
        }
    }

    /// How much it covers.
    #[must_use]
    pub fn extent(self) -> Extent {
        match self {
            Self::PowerOn | Self::RtcWatchdogRtc | Self::SuperWatchdog => Extent::Chip,
            Self::Timg0Cpu | Self::Timg1Cpu | Self::SoftwareCpu | Self::RtcWatchdogCpu => Extent::Cpu,
            _ => Extent::Core,
        }
    }
}
